import "../../security/trusted-types";
import "../../ui/tokens.css";
import "../../ui/fonts.css";
import "../../ui/desk.css";
import "./gallery.css";
import { mount } from "svelte";
import { chooseLanguage } from "../../i18n/lang.svelte";
import { chooseTheme } from "../../ui/theme.svelte";
import Gallery from "./Gallery.svelte";

chooseLanguage(location.search);
chooseTheme();
const target = document.getElementById("screen");
if (target) mount(Gallery, { target });
