// What media lies where the person clicked, whatever covers it. It tells of pages and knows nothing of verdicts.
// A classic script: with site access it is there before the click, else it comes with it.

(() => {
  if (globalThis.unmask) return;
  const browser = globalThis.browser ?? globalThis.chrome;
  const LEAST = 48; // pixels: what covers a player is often an icon
  const SHADOW = "openOrClosedShadowRoot"; // Chrome's function, Firefox's property
  let clicked = null; // what the last context menu was opened on
  let chosen = null; // what is being checked: the panel seeks it

  function shadowOf(element) {
    const open = globalThis.chrome?.dom?.[SHADOW];
    return open && element instanceof HTMLElement ? open(element) : (element[SHADOW] ?? element.shadowRoot);
  }

  /** All elements at a point, topmost first, into every shadow root. */
  function at(x, y, root = document, seen = new Set()) {
    for (const element of root.elementsFromPoint(x, y)) {
      if (seen.has(element)) continue;
      const shadow = shadowOf(element);
      if (shadow && shadow !== root) at(x, y, shadow, seen);
      seen.add(element);
    }
    return seen;
  }

  function* everything(root = document) {
    for (const element of root.querySelectorAll("*")) {
      yield element;
      const shadow = shadowOf(element);
      if (shadow) yield* everything(shadow);
    }
  }

  const web = (url) => (/^https?:/.test(url ?? "") ? url : null);

  /** The address of an element's CSS background, its own or that of what stands before and after it. */
  function background(element) {
    for (const part of [null, "::before", "::after"]) {
      const style = getComputedStyle(element, part);
      if (part && style.content === "none") continue;
      const found = /url\("(https?:[^"]*)"\)/.exec(`${style.backgroundImage} ${style.content}`);
      if (found) return found[1];
    }
    return null;
  }

  /** {kind, url}: `url` is null for what only this browser has (blob:, data:, a stream). */
  function shown(element) {
    const name = element.localName;
    if (name === "video") return { kind: "video", url: web(element.currentSrc || element.src) };
    if (name === "img" || (name === "input" && element.type === "image")) {
      return { kind: "image", url: web(element.currentSrc || element.src) };
    }
    if (name === "image" && element.href) return { kind: "image", url: web(new URL(element.href.baseVal, document.baseURI).href) };
    return null;
  }

  function behind(element) {
    const url = background(element);
    return url ? { kind: "image", url } : null;
  }

  function big(element) {
    const { width, height } = element.getBoundingClientRect();
    return width >= LEAST && height >= LEAST;
  }

  function visible(element) {
    return big(element) && (element.checkVisibility?.({ opacityProperty: true, visibilityProperty: true }) ?? true);
  }

  function inside(element, x, y) {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return left <= x && x <= right && top <= y && y <= bottom;
  }

  /** The first element of which `what` tells something: large ones before icons. */
  function first(elements, what) {
    for (const large of [true, false]) {
      for (const element of elements) {
        const media = big(element) === large ? what(element) : null;
        if (media) return { element, media };
      }
    }
    return null;
  }

  /** Pictures and videos first, then those that let clicks through, then backgrounds. */
  function under(x, y) {
    const stack = [...at(x, y)];
    return first(stack, shown)
      ?? first([...everything()].filter((element) => shown(element) && visible(element) && inside(element, x, y)), shown)
      ?? first(stack, behind);
  }

  function choose(found) {
    chosen = found?.element ?? null;
    return found ? { ...found.media, frameUrl: location.href } : null;
  }

  // At once: the panel that opens next makes the page narrower, and something else lies there then.
  addEventListener("contextmenu", (event) => {
    if (event.isTrusted) clicked = { found: under(event.clientX, event.clientY) };
  }, { capture: true, passive: true });

  globalThis.unmask = {
    visible,
    choose,

    /** What the context menu was opened on. `target`: Firefox's id of the element; `url`: what the browser itself named. */
    clicked(target, url) {
      const element = target === null ? null : browser.menus?.getTargetElement(target);
      if (url) return choose(clicked?.found?.media.url === url ? clicked.found : this.media().find(({ media }) => media.url === url));
      if (clicked) return choose(clicked.found);
      if (!element) return null;
      const { left, top, width, height } = element.getBoundingClientRect();
      return choose(first([element], shown) ?? under(left + width / 2, top + height / 2) ?? first([element], behind));
    },

    /** All media that can be seen now, in the order of the page: [{element, media}]. */
    media() {
      const found = [];
      for (const element of everything()) {
        const media = visible(element) ? (shown(element) ?? behind(element)) : null;
        if (media) found.push({ element, media });
      }
      return found;
    },

    /** The chosen picture or video as a data: address, out of the page's own hands; null for a stream. */
    async bytes() {
      const answer = await fetch(chosen?.currentSrc).catch(() => null);
      const file = await answer?.blob();
      if (!file) return null;
      return new Promise((done) => {
        const reader = Object.assign(new FileReader(), { onload: () => done(reader.result), onerror: () => done(null) });
        reader.readAsDataURL(file);
      });
    },

    /** Shows the moment in the page's own player. */
    seek(seconds) {
      if (chosen?.localName !== "video") return false;
      chosen.pause();
      chosen.currentTime = seconds;
      chosen.scrollIntoView({ block: "nearest" });
      return true;
    },
  };
})();
