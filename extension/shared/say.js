// The words of the extension's own pages, in the language that was chosen. Menus and the picker speak the browser's.

import { browser } from "./browser.js";

export const LANGUAGES = { en: "English", de: "Deutsch" };

async function load(language) {
  return (await fetch(browser.runtime.getURL(`_locales/${language}/messages.json`))).json();
}

/** `auto`: the browser's language, where there are words for it. */
export async function speaker(chosen) {
  const wanted = chosen in LANGUAGES ? chosen : browser.i18n.getUILanguage().split("-")[0];
  const language = wanted in LANGUAGES ? wanted : "en";
  const words = await load(language);
  const say = (name, ...values) => words[name].message.replaceAll(/\$(\d)/g, (_, place) => values[place - 1] ?? "");
  say.has = (name) => name in words;
  document.documentElement.lang = language;
  return say;
}

/** Fills in every element of a page that names its words: data-say for its text, data-say-label for its name. */
export function fillIn(say) {
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
}
