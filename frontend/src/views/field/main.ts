import "../../security/trusted-types";
import "../../ui/tokens.css";
import "../../ui/fonts.css";
import "./field.css";
import { mount } from "svelte";
import { chooseLanguage } from "../../i18n/lang.svelte";
import { chooseLook } from "../../features/field/look";
import Field from "./Field.svelte";

chooseLanguage(location.search);
chooseLook(location.search);
const target = document.getElementById("screen");
if (target) mount(Field, { target });
