// Before each file of tests: they share one document, and each may have left another language.
import { language } from "./lang.svelte";

language.set("id");
