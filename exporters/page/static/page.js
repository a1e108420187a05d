// What a page does by itself beside htmx: it says whether it is live, and how long ago things were.
"use strict";

(() => {
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });

  const ago = (seconds) => {
    for (const [unit, size] of steps) {
      if (seconds >= size) return words.format(-Math.floor(seconds / size), unit);
    }
    return words.format(-Math.max(0, Math.floor(seconds)), "second");
  };

  const tell = () => {
    const now = Date.now() / 1000;
    for (const place of document.querySelectorAll("[data-since]")) {
      const text = `(${ago(now - Number(place.dataset.since))})`;
      if (place.textContent !== text) place.textContent = text;
    }
  };

  const pulse = document.getElementById("pulse");
  const beat = (alive) => {
    if (!pulse || pulse.dataset.alive === String(alive)) return;
    pulse.dataset.alive = String(alive);
    pulse.textContent = alive ? pulse.dataset.on : pulse.dataset.off;
  };

  // A stream whose way was cut does not end by itself; the server sends a beat every ten seconds.
  let heard = Date.now();
  document.addEventListener("htmx:sseOpen", (event) => {
    heard = Date.now();
    beat(true);
    event.detail.source.addEventListener("beat", () => {
      heard = Date.now();
      beat(true);
    });
  });
  document.addEventListener("htmx:sseError", () => beat(false));
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (event.detail.type === "reload") {
      event.preventDefault();
      location.reload();
    }
  });
  document.addEventListener("htmx:sseMessage", tell);
  setInterval(() => {
    tell();
    if (Date.now() - heard > 35000) beat(false);
  }, 10000);
  tell();
})();
