/** Everything the public pages run. Each part does nothing on a page without its markup. */
import { startElements } from "./elements.ts";
import { startFingerprintHere } from "./fingerprint/panel.ts";
import { startQuickExit } from "./quick-exit.ts";
import { startReturnCode } from "./return-code.ts";
import { startUpload } from "./upload.ts";
import { startWork } from "./work.ts";

document.documentElement.classList.add("scripts");
startQuickExit(document);
startReturnCode(document);
startElements(document);
// Before the upload: it may have to hold a form back that is not ready.
startFingerprintHere(document);
startUpload(document);
startWork(document);
