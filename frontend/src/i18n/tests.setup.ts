// Before each file of tests: they share one document, and each may have left another language.
import { language } from "./lang.svelte";

language.current = "id"; // some run without a document
