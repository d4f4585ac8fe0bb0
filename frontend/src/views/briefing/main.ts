import "../../security/trusted-types";
import "../../ui/tokens.css";
import "../../ui/fonts.css";
import "../../ui/desk.css";
import "./briefing.css";
import { mount } from "svelte";
import { chooseLanguage } from "../../i18n/lang.svelte";
import { chooseSheet } from "../../features/briefing/sheet";
import Briefing from "./Briefing.svelte";

chooseLanguage(location.search);
chooseSheet(location.search);
const target = document.getElementById("screen");
if (target) mount(Briefing, { target });
