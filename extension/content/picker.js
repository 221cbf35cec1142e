// Choosing among the media of a page by keyboard or mouse: a frame around one of them, Enter checks it.

(() => {
  const { unmask, unmaskMessages } = globalThis;
  if (!unmask || unmask.pick) return;
  const browser = globalThis.browser ?? globalThis.chrome;
  const say = (name, ...values) => browser.i18n.getMessage(name, values.map(String));
  const { fromContent } = unmaskMessages;
  const STYLES = {
    host: { all: "initial", position: "fixed", inset: "0", width: "auto", height: "auto", margin: "0", padding: "0", border: "0", background: "none", "z-index": "2147483647" },
    frame: { position: "fixed", "box-sizing": "border-box", border: "3px solid #1F5FBF", outline: "2px solid #FFFFFF", "border-radius": "6px", "pointer-events": "none" },
    words: { position: "fixed", left: "50%", bottom: "16px", transform: "translateX(-50%)", "max-width": "90%", padding: "8px 16px", font: "15px/1.5 system-ui, sans-serif", color: "#1B2430", background: "#FFFFFF", border: "1px solid #D5DAE1", "border-radius": "6px", "box-shadow": "0 4px 16px rgb(0 0 0 / .16)", "pointer-events": "none" },
  };

  function box(name) {
    const node = document.createElement("div");
    for (const [property, value] of Object.entries(STYLES[name])) node.style.setProperty(property, value, "important");
    return node;
  }

  const area = ({ element }) => {
    const { width, height } = element.getBoundingClientRect();
    return width * height;
  };

  const KEYS = { Tab: 1, ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  let stop = () => {};

  /** How many there are to choose from. The largest is framed first. */
  unmask.pick = () => {
    stop();
    const found = unmask.media();
    if (!found.length) return 0;
    let now = found.indexOf(found.reduce((one, other) => (area(other) > area(one) ? other : one)));
    const [host, frame, words] = [box("host"), box("frame"), box("words")];
    words.setAttribute("role", "status");
    host.attachShadow({ mode: "closed" }).append(frame, words);
    host.popover = "manual";

    function place() {
      const { left, top, width, height } = found[now].element.getBoundingClientRect();
      for (const [side, value] of Object.entries({ left, top, width, height })) frame.style.setProperty(side, `${value}px`, "important");
    }
    function show(index) {
      now = (index + found.length) % found.length;
      words.textContent = say("picker", now + 1, found.length, say(found[now].media.kind));
      place();
    }
    function step(by) {
      show(now + by);
      found[now].element.scrollIntoView({ block: "nearest", inline: "nearest" });
      place();
    }
    function take() {
      stop();
      browser.runtime.sendMessage({ type: fromContent.picked, media: unmask.choose(found[now]) });
    }
    function leave() {
      stop();
      browser.runtime.sendMessage({ type: fromContent.left });
    }
    const hear = {
      keydown(event) {
        const by = KEYS[event.key];
        if (by) step(event.key === "Tab" && event.shiftKey ? -1 : by);
        else if (event.key === "Enter") take();
        else if (event.key === "Escape") leave();
        else return;
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      mousemove(event) {
        const over = found.findLastIndex(({ element }) => within(element, event));
        if (over >= 0 && over !== now) show(over);
      },
      click(event) {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (within(found[now].element, event)) take();
        else leave();
      },
      scroll: place,
      resize: place,
    };
    // What a page makes up itself is no key and no click.
    const trusted = Object.entries(hear).map(([name, act]) => [name, (event) => event.isTrusted && act(event)]);
    for (const [name, act] of trusted) addEventListener(name, act, { capture: true });
    stop = () => {
      for (const [name, act] of trusted) removeEventListener(name, act, { capture: true });
      host.remove();
      stop = () => {};
    };
    document.documentElement.append(host);
    host.showPopover();
    focus();
    show(now);
    return found.length;
  };

  function within(element, { clientX: x, clientY: y }) {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return left <= x && x <= right && top <= y && y <= bottom;
  }
})();
