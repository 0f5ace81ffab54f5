/** Everything the desk runs. Each part does nothing on a page without its markup. */
import { startClocks } from "./clock.ts";
import { startLease } from "./lease.ts";
import { startQuickExit } from "./quick-exit.ts";
import { startKeys, startLive } from "./queue.ts";
import { startVeil } from "./veil.ts";

document.documentElement.classList.add("scripts");
startQuickExit(document);
startVeil(document);
startClocks(document);
startKeys(document);
startLease(document);
startLive(document, startClocks);
