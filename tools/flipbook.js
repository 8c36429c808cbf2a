// Turns the leaves of the flip-books that tools/flipbook.py recorded: no library, no request but
// for the book's own file, which a script element brings, as that also works from a disk.
"use strict";
{
  const books = new Map();
  const here = new URL(".", document.currentScript.src);

  const make = (name, attributes = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };

  // A book's file calls this with its text: JSON, gzipped, in base64.
  globalThis.flipbook = async (name, text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const book = await new Response(stream).json();
    for (const place of books.get(name)) open(place, book);
  };

  const open = (place, book) => {
    const leaves = make("div", { class: "flip-leaves", role: "group", "aria-label": "flip-book" });
    leaves.innerHTML = book.skeleton;
    const said = make("div", { class: "flip-said", role: "status", "aria-live": "polite" });
    const slots = Array.from(leaves.querySelectorAll("[data-slot]"));
    const sizes = book.controls.map((control) => control.texts.length);
    let state = book.start;
    let shown = [];

    const valuesOf = (number) => {
      const values = [];
      for (let at = sizes.length - 1; at >= 0; at--) {
        values[at] = number % sizes[at];
        number = Math.floor(number / sizes[at]);
      }
      return values;
    };
    const numberOf = (values) => values.reduce((number, value, at) => number * sizes[at] + value, 0);

    const show = (number, speak) => {
      state = number;
      const frame = book.frames[book.frame_of[state]];
      const words = [];
      frame.forEach((piece, slot) => {
        if (shown[slot] !== piece) {
          slots[slot].innerHTML = book.pieces[piece];
          for (const each of slots[slot].querySelectorAll("[role=status]")) {
            each.removeAttribute("role");
            words.push(each.textContent.trim());
          }
        }
      });
      shown = frame;
      if (sizes.length) valuesOf(state).forEach((value, at) => setters[at]?.(value));
      if (speak) said.textContent = words.join(" ");
    };

    const setters = book.controls.map((control, at) => {
      const spot = leaves.querySelector(`[data-control="${at}"]`);
      if (control.texts.length < 2) {
        spot.remove();
        return null;
      }
      const choose = (value) => {
        const values = valuesOf(state);
        values[at] = value;
        const moved = book.moves[`${at}=${value}`];
        show(moved ? moved[state] : book.state_of[numberOf(values)], true);
      };
      const label = make("label", { class: "flip-control" });
      if (control.kind === "list") {
        const list = make("select", {}, ...control.texts.map((text) => make("option", {}, text)));
        list.addEventListener("change", () => choose(list.selectedIndex));
        label.append(make("span", {}, control.label), list);
        spot.replaceWith(label);
        return (value) => (list.selectedIndex = value);
      }
      if (control.kind === "tick") {
        const box = make("input", { type: "checkbox" });
        box.addEventListener("change", () => choose(Number(box.checked)));
        label.append(box, make("span", {}, control.label));
        spot.replaceWith(label);
        return (value) => (box.checked = Boolean(value));
      }
      const range = make("input", { type: "range", min: 0, max: control.texts.length - 1, step: 1 });
      const readout = make("span", { class: "flip-value", "aria-hidden": "true" });
      range.addEventListener("input", () => choose(Number(range.value)));
      label.append(make("span", {}, control.label), range, readout);
      spot.replaceWith(label);
      return (value) => {
        range.value = value;
        readout.textContent = control.texts[value];
        range.setAttribute("aria-valuetext", control.texts[value]);
      };
    });

    book.buttons.forEach((each, at) => {
      const spot = leaves.querySelector(`[data-button="${at}"]`);
      const moved = book.moves[`b${at}`];
      if (!moved && !each.off) return spot.remove();
      const title = each.title && each.title !== each.label ? { title: each.title } : {};
      const button = make("button", { type: "button", ...title }, each.label);
      button.disabled = !moved;
      button.addEventListener("click", () => show(moved[state], true));
      spot.replaceWith(button);
    });

    if (book.left_out) leaves.append(make("p", { class: "flip-note" }, book.left_out));
    leaves.append(said);
    show(state, false);
    place.append(leaves);
    const still = place.previousElementSibling ?? place.parentElement.previousElementSibling;
    still.classList.add("flip-still");
  };

  const load = (place) => {
    const name = place.dataset.flipbook;
    if (books.has(name)) return books.get(name).push(place);
    books.set(name, [place]);
    document.head.append(make("script", { src: new URL(`flip/${name}.js`, here).href }));
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (!globalThis.DecompressionStream) return;
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries)
          if (entry.isIntersecting) {
            seen.unobserve(entry.target);
            load(entry.target);
          }
      },
      { rootMargin: "1500px" },
    );
    for (const place of document.querySelectorAll("[data-flipbook]")) seen.observe(place);
  });
}
