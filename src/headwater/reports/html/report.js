"use strict";
(() => {
  const root = document.documentElement;
  const pages = [...document.querySelectorAll(".page")];
  const links = [...document.querySelectorAll("[data-page]")];
  const kept = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem("headwater:" + key);
      localStorage.setItem("headwater:" + key, value);
    } catch {}
    return null;
  };
  root.classList.add("scripted");

  // Pages: the one that the address names, or that holds what it names.
  const show = (move) => {
    const target = document.getElementById(location.hash.slice(1));
    const page = (target && target.closest(".page")) || pages[0];
    for (const one of pages) one.classList.toggle("current", one === page);
    for (const one of links) {
      if (one.dataset.page === page.id) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
    if (!move) return;
    if (target === page || !target) {
      scrollTo(0, 0);
      page.querySelector("h1").focus({ preventScroll: true });
    } else {
      for (let one = target; one; one = one.parentElement) one.hidden = false;
      target.scrollIntoView({ block: "center" });
      if (target.id !== "main") {
        if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
        target.focus({ preventScroll: true });
      }
    }
  };
  addEventListener("hashchange", () => show(true));
  show(location.hash.length > 1);

  // Dark or light.
  const chosen = kept("theme");
  if (chosen) root.dataset.theme = chosen;
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    kept("theme", root.dataset.theme);
  });

  // Search: rows and findings with all the words; on the page of findings severity and source, too.
  const texts = new WeakMap();
  const text = (one) => {
    if (!texts.has(one)) texts.set(one, one.textContent.toLowerCase());
    return texts.get(one);
  };
  const apply = (field) => {
    const holder = document.getElementById(field.dataset.search);
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isList = holder.id === "list";
    const severities = new Set([...document.querySelectorAll("[data-severity][type=checkbox]:checked")].map((box) => box.dataset.severity));
    const kind = isList ? document.getElementById("kind").value : "";
    const items = [...(isList ? holder.children : holder.tBodies[0].rows)];
    let shown = 0;
    for (const one of items) {
      const fits = words.every((word) => text(one).includes(word));
      one.hidden = !(fits && (!isList || (severities.has(one.dataset.severity) && (!kind || one.dataset.kind === kind))));
      shown += !one.hidden;
    }
    document.getElementById(holder.id + "-count").textContent = shown + " of " + items.length;
    if (holder.id === "components") {
      for (const node of document.querySelectorAll("#picture .node")) {
        const row = document.getElementById(node.getAttribute("href").slice(1));
        node.classList.toggle("dim", row.hidden);
      }
    }
  };
  for (const field of document.querySelectorAll("[data-search]")) {
    field.addEventListener("input", () => apply(field));
    apply(field);
  }
  const list = document.getElementById("list-search");
  for (const one of document.querySelectorAll("[data-severity][type=checkbox], #kind")) one.addEventListener("change", () => apply(list));

  // The picture: what a component is joined with, and its size.
  const picture = document.getElementById("picture");
  if (picture) {
    const nodes = new Map([...picture.querySelectorAll(".node")].map((one) => [one.dataset.node, one]));
    const lines = [...picture.querySelectorAll(".line")];
    const mark = (node) => {
      picture.classList.toggle("chosen", !!node);
      for (const one of picture.querySelectorAll(".on")) one.classList.remove("on");
      if (!node) return;
      for (const id of [node.dataset.node, ...node.dataset.near.split(" ").filter(Boolean)]) nodes.get(id).classList.add("on");
      for (const line of lines) if (line.dataset.line.split(" ").includes(node.dataset.node)) line.classList.add("on");
    };
    for (const kind of ["mouseover", "focusin"]) picture.addEventListener(kind, (event) => mark(event.target.closest(".node")));
    for (const kind of ["mouseleave", "focusout"]) picture.addEventListener(kind, () => mark(null));
    const natural = Number(picture.getAttribute("width"));
    const resize = (width) => {
      picture.setAttribute("width", Math.round(width));
      picture.removeAttribute("height");
    };
    const fit = () => resize(Math.max(natural * 0.5, Math.min(natural, main.clientWidth - 4)));
    const main = document.getElementById("main");
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => {
        const width = Number(picture.getAttribute("width"));
        if (button.dataset.zoom === "fit") resize(main.clientWidth - 4);
        else resize(Math.min(natural * 3, Math.max(200, button.dataset.zoom === "in" ? width * 1.25 : width * 0.8)));
      });
    }
    fit();
  }

  // Ticks of the checklist.
  const report = document.body.dataset.report;
  for (const box of document.querySelectorAll("[data-check]")) {
    box.checked = kept(report + box.dataset.check) === "1";
    box.addEventListener("change", () => kept(report + box.dataset.check, box.checked ? "1" : "0"));
  }

  // On paper nothing is folded.
  const folded = [];
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) {
      folded.push(one);
      one.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const one of folded.splice(0)) one.open = false;
  });
})();
