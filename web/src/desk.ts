/** Everything the desk runs. Each part does nothing on a page without its markup. */
import { startClocks } from "./clock.ts";
import { startCopying } from "./copying.ts";
import { startCounted } from "./counted.ts";
import { startLease } from "./lease.ts";
import { startMoments } from "./moments.ts";
import { startQuickExit } from "./quick-exit.ts";
import { startKeys, startLive } from "./queue.ts";
import { startShortcuts } from "./shortcuts.ts";
import { startVeil } from "./veil.ts";

document.documentElement.classList.add("scripts");
startQuickExit(document);
startVeil(document);
startClocks(document);
startMoments(document);
startCopying(document);
startKeys(document);
startShortcuts(document);
startLease(document);
startLive(document, startClocks);
startCounted(document);
