// One name for the browser's interface: Firefox says `browser`, Chrome says `chrome`, both answer with promises.

export const browser = globalThis.browser ?? globalThis.chrome;
export const isFirefox = browser.runtime.getURL("").startsWith("moz-extension:");
