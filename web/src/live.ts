/** What the page that looks at somebody live runs beside the rest. */
import { startLive } from "./live/panel.ts";

startLive(document);
