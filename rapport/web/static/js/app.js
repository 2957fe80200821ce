// Everything the pages need beyond htmx. Widgets with a state are custom elements, the rest listens on the document:
// what htmx brings in later works without being set up.
import "./theme.js";
import "./menu.js";
import "./dialog.js";
import "./confirm.js";
import "./guard.js";
import "./hotkeys.js";
import "./overflow.js";
import "./search.js";
import "./lookup.js";
import "./grid.js";
import "./pairs.js";
import "./tabs.js";
import "./field.js";
import "./conflict.js";
import "./drop.js";
import "./upload.js";
import "./autosubmit.js";
import "./choices.js";
import "./time.js";
import "./zone.js";
import "./copy.js";
import "./toast.js";
import "./requests.js";
