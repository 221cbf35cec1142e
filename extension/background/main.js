// What wakes the extension. Every listener is set at once: the browser starts this file anew for each of them.

import { browser, isFirefox } from "../shared/browser.js";
import { checkClicked, followAccess, pick } from "./find.js";
import { answer } from "./answer.js";

const ENTRY = "check";
const WHERE = ["page", "frame", "link", "image", "video", "selection"];

/** Only as the first statement of a click's handler: after any waiting it is no longer the person's gesture. */
function openPanel(tab) {
  if (isFirefox) browser.sidebarAction.open();
  else browser.sidePanel.open({ windowId: tab.windowId });
}

browser.runtime.onInstalled.addListener(async ({ reason }) => {
  await browser.contextMenus.removeAll();
  browser.contextMenus.create({ id: ENTRY, title: browser.i18n.getMessage("menu"), contexts: WHERE, documentUrlPatterns: ["http://*/*", "https://*/*", "file:///*"] });
  await followAccess();
  if (reason === "install") await browser.tabs.create({ url: browser.runtime.getURL("options/options.html#first") });
});

browser.contextMenus.onClicked.addListener((info, tab) => {
  openPanel(tab);
  checkClicked(info, tab);
});

browser.action.onClicked.addListener((tab) => {
  openPanel(tab);
  pick({ windowId: tab.windowId, tabId: tab.id, incognito: tab.incognito });
});

browser.permissions.onAdded.addListener(followAccess);
browser.permissions.onRemoved.addListener(followAccess);

browser.runtime.onMessage.addListener((message, sender, reply) => answer(message, sender, reply));
