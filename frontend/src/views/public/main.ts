import "../../security/trusted-types";
import "../../ui/tokens.css";
import "../../ui/fonts.css";
import "./public.css";
import { mount } from "svelte";
import { chooseLanguage } from "../../i18n/lang.svelte";
import Public from "./Public.svelte";

chooseLanguage(location.search);
const target = document.getElementById("screen");
if (target) mount(Public, { target });
