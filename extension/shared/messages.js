// The names of all messages, by direction. A classic script, so that content scripts have it too; modules import it
// for what it sets. The background sends nothing: it runs functions in pages and writes what it knows to
// storage.session, which only the extension's own pages can read.

globalThis.unmaskMessages = Object.freeze({
  /** From a script in a web page. It can name a media, and nothing else: no answer comes back. */
  fromContent: Object.freeze({
    picked: "picked", // {media: {kind, url, frameUrl}}
    left: "left", // the picker was closed
  }),
  /** From the extension's own pages: panel and options. Each is answered with {value} or {error}. */
  fromPages: Object.freeze({
    about: "about", // -> {server, connected, ...settings}
    connect: "connect", // {server, token}: kept once the server has answered
    disconnect: "disconnect",
    pair: "pair", // {server, code}
    prefer: "prefer", // {language, history}
    forget: "forget", // the history
    past: "past", // -> the history, newest first
    poll: "poll", // {windowId}: once a second while a check is under way
    again: "again", // {windowId, force}
    send: "send", // {windowId}: the file itself, fetched by this browser
    withdraw: "withdraw", // {windowId}
    pick: "pick", // {windowId}
    address: "address", // {windowId, url}
    seek: "seek", // {windowId, seconds}
    read: "read", // {path}: JSON of the API
    picture: "picture", // {path}: an evidence picture as a data: address
  }),
});
