import { initLanguage } from "../i18n.js";

initLanguage(); // before any element writes its first text
await import("../elements/home.js");
