"""What is left to do by hand: one report that nobody has decided, and what this telling added."""

from haechi.demo import pictures
from haechi.demo.proof import OUTSIDE_URL, SHOWN, counts
from haechi.demo.story import code_on
from haechi.demo.tale import Tale
from haechi.demo.telling import expect

TOLD = "이 사진도 제 것이 아니에요."


def play(tale: Tale) -> None:
    """Report one more picture through the form; tell what the whole telling came to."""
    with tale.teller.timed("One more report, left undecided for whoever looks around"):
        photograph = pictures.photograph(pictures.LEFT)
        status, body = tale.upload(pictures.jpeg(photograph), "left", account="night_owl")
        # Refused where an earlier telling's was decided by hand; the host outside still shows it.
        places = [OUTSIDE_URL, *([body["url"]] if status == 201 else [])]
        copy = pictures.saved_again(photograph)
        reporter, report = tale.reporter_sends(TOLD, places, [("사진.jpg", copy)])
        with reporter:
            tale.left_code = code_on(reporter.text())
        case = tale.row("SELECT id FROM cases_case WHERE report_id = %s", report, what="the case")
        tale.left_case_id = int(case["id"])
        exhibit = tale.row(
            "SELECT state FROM evidence_exhibit WHERE report_id = %s AND state <> 'sealed'",
            report,
            what="the picture, examined",
        )
        expect("the picture of the last report", expected="fingerprinted", seen=exhibit["state"])
    now = counts(tale)
    told = [f"{what.lower()} +{now[name] - tale.before[name]}" for name, what in SHOWN.items()]
    tale.teller.line(f"   this telling, bad input and the last report included: {told[0]}")
    tale.teller.line(f"   {', '.join(told[1:])}")
