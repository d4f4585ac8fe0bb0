import "../../security/trusted-types";
import "../../ui/tokens.css";
import "../../ui/fonts.css";
import "./wall.css";
import { mount } from "svelte";
import { chooseLanguage } from "../../i18n/lang.svelte";
import Wall from "./Wall.svelte";

chooseLanguage(location.search);
const target = document.getElementById("screen");
if (target) mount(Wall, { target });
