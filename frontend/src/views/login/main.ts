import "../../security/trusted-types";
import "../../ui/tokens.css";
import "../../ui/fonts.css";
import { mount } from "svelte";
import { chooseLanguage } from "../../i18n/lang.svelte";
import { chooseTheme } from "../../ui/theme.svelte";
import Login from "./Login.svelte";

chooseLanguage(location.search);
chooseTheme();
const target = document.getElementById("screen");
if (target) mount(Login, { target });
