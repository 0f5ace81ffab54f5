"""THE WALK, top to bottom.

A report comes in                              submit_report()
  the worker opens and fingerprints exhibits   examine()  ->  take_evidence()
  compares them with what is hosted and known                        match()
  and, when all that is done, asks how they were made                examine_origin()
  opens a case and starts the clocks of law                          open_case()
What the request still lacks is asked for      ask_for_missing()
A reviewer decides: all of it, or none         decide()
  two people refuse, each without the other    judge()
  or the case waits for somebody outside       ask_more(), refer(), go_on(), end_pauses()
  the platform removes and confirms            deliver_action(), or by itself: answer_action()
  who takes too long is told of                watch_deliveries()
  who answers for places outside gets a notice deliver_notice()
    and is reminded, then the next is asked    chase_notices()
    and what comes back is threaded            take_reply(), take_document()
  copies posted meanwhile are found            sweep_copies()
  places outside are looked at again           look_again(), look_now(): look_at()
A picture of a bank is confirmed               confirm_member()
  and looked for in what is hosted already     search_backwards()
A picture matches far too much                 watch_floods()
A notice of somebody else comes in             accept()
  the worker understands it, once              take_notice()
  its sender is told item by item              answer_notices(), send_answer()
Whoever posted it may object                   appeal(), answer_appeal()
Whoever reported it comes back, and
  writes, adds, corrects                       write_message(), add_to_report(), correct_report()
  gives pictures to compare with               give_pictures()
  objects to a refusal or to silence           appeal_inaction()
  takes it back                                withdraw_report()
  is told that something changed               tell_reporters()
No clock runs out unseen                       watch_clocks(), tell_of_missed()
  and the queue stays in its order             reorder_queue(), keep_queue()
Evidence goes to police or a court             agree_to_package(), make_package()
A report ends: asked for, or by time           erase()
  or staff ask, and a second person agrees     agree_to_erasure()
  its keys first, then files, then rows        finish_erasure()
Who made a picture is asked
  and where else it hangs                      where_it_hangs()
  what AI services told is kept for a time     forget_generations()
What was half sent is forgotten                forget_visits(), forget_uploads()

The modules stand in this order: jobs, origins, intake, acting (platforms), noticing (hosts outside), outward (what is
asked of others), known (banks), deciding, objecting, replying (to senders), receiving, returning, asking (for what is missing),
pausing, dossier, summary, packaging (evidence that goes out), ending, tracing (what AI services made), hours, queueing. One imports those before it.

Each stage knows only the stages before it; what comes next is known here alone. Background tasks are
jobs in the same database, deferred inside the transaction that makes them necessary: either both
exist, or neither. A job may run twice (a process can die at any instant), so each step is safe to
repeat.
"""

from haechi.server.flow.acting import (
    act_on_hosted,
    answer_action,
    ask_again,
    deliver_action,
    deliver_trial,
    order_of,
    restore_hosted,
    take_answers,
    trial_order_of,
    try_out,
    watch_deliveries,
)
from haechi.server.flow.asking import Lacking, ask_for_missing, lacking
from haechi.server.flow.deciding import decide, decide_alike, judge, sweep_copies
from haechi.server.flow.ending import (
    Erasure,
    agree_to_erasure,
    erase,
    expire_reports,
    finish_erasure,
)
from haechi.server.flow.hours import (
    anchor_checkpoint,
    forget_uploads,
    forget_visits,
    sign_checkpoint,
    tell_of_missed,
    watch_clocks,
)
from haechi.server.flow.intake import (
    complete_request,
    examine,
    examine_report,
    match,
    open_case,
    stamp_receipt,
    start_clocks,
    submit_report,
    take_evidence,
)
from haechi.server.flow.jobs import KeepTrying, rescue_jobs
from haechi.server.flow.known import (
    act_on_sightings,
    confirm_member,
    keep_banks,
    search_backwards,
    settle_sighting,
    watch_floods,
)
from haechi.server.flow.noticing import (
    ask_hosts,
    chase_notices,
    deliver_notice,
    hurry_notice,
    places_outside,
    replay_notice,
    take_document,
    take_reply,
)
from haechi.server.flow.objecting import answer_appeal, appeal
from haechi.server.flow.origins import ask_origins, examine_again, examine_origin, make_origin
from haechi.server.flow.outward import (
    added_since,
    pursue_added,
    remove_hosted,
)
from haechi.server.flow.packaging import agree_to_package, make_package, receive_package
from haechi.server.flow.pausing import ask_more, end_pauses, go_on, refer
from haechi.server.flow.queueing import keep_queue, refresh_queue, reorder_queue
from haechi.server.flow.receiving import accept, open_by_hand, take, take_notice
from haechi.server.flow.rechecking import look_again, look_at, look_now
from haechi.server.flow.replying import answer_notice, answer_notices, send_answer
from haechi.server.flow.returning import (
    add_to_report,
    appeal_inaction,
    correct_report,
    give_pictures,
    tell_reporters,
    want_news,
    wind_down,
    withdraw_report,
    write_message,
    write_to_reporter,
)
from haechi.server.flow.tracing import Hanging, forget_generations, where_it_hangs

__all__ = [
    "Erasure",
    "Hanging",
    "KeepTrying",
    "Lacking",
    "accept",
    "act_on_hosted",
    "act_on_sightings",
    "add_to_report",
    "added_since",
    "agree_to_erasure",
    "agree_to_package",
    "anchor_checkpoint",
    "answer_action",
    "answer_appeal",
    "answer_notice",
    "answer_notices",
    "appeal",
    "appeal_inaction",
    "ask_again",
    "ask_for_missing",
    "ask_hosts",
    "ask_more",
    "ask_origins",
    "chase_notices",
    "complete_request",
    "confirm_member",
    "correct_report",
    "decide",
    "decide_alike",
    "deliver_action",
    "deliver_notice",
    "deliver_trial",
    "end_pauses",
    "erase",
    "examine",
    "examine_again",
    "examine_origin",
    "examine_report",
    "expire_reports",
    "finish_erasure",
    "forget_generations",
    "forget_uploads",
    "forget_visits",
    "give_pictures",
    "go_on",
    "hurry_notice",
    "judge",
    "keep_banks",
    "keep_queue",
    "lacking",
    "look_again",
    "look_at",
    "look_now",
    "make_origin",
    "make_package",
    "match",
    "open_by_hand",
    "open_case",
    "order_of",
    "places_outside",
    "pursue_added",
    "receive_package",
    "refer",
    "refresh_queue",
    "remove_hosted",
    "reorder_queue",
    "replay_notice",
    "rescue_jobs",
    "restore_hosted",
    "search_backwards",
    "send_answer",
    "settle_sighting",
    "sign_checkpoint",
    "stamp_receipt",
    "start_clocks",
    "submit_report",
    "sweep_copies",
    "take",
    "take_answers",
    "take_document",
    "take_evidence",
    "take_notice",
    "take_reply",
    "tell_of_missed",
    "tell_reporters",
    "trial_order_of",
    "try_out",
    "want_news",
    "watch_clocks",
    "watch_deliveries",
    "watch_floods",
    "where_it_hangs",
    "wind_down",
    "withdraw_report",
    "write_message",
    "write_to_reporter",
]
