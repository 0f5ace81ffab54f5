/** Everything the desk runs. Each part does nothing on a page without its markup. */
import { startClocks } from "./clock.ts";
import { startQuickExit } from "./quick-exit.ts";
import { startVeil } from "./veil.ts";

document.documentElement.classList.add("scripts");
startQuickExit(document);
startVeil(document);
startClocks(document);
