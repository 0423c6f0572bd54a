"use strict";
// Shows the day and all values of a chart with panels under the pointer, by touch and by arrow keys.
for (const chart of document.querySelectorAll(".panels")) {
  const data = JSON.parse(chart.querySelector("script").textContent);
  const plot = chart.querySelector(".plot");
  const cursor = chart.querySelector(".cursor");
  const box = chart.querySelector(".values");
  const days = [];
  for (const step of data.days) days.push((days.at(-1) ?? 0) + step);
  const positions = data.at.length ? data.at : days.map((_, at) => at);
  let current = days.length - 1;

  const element = (tag, text, parent) => {
    const made = parent.appendChild(document.createElement(tag));
    made.textContent = text;
    return made;
  };
  const entry = (name, value, colour) => {
    const row = element("div", "", box);
    const label = element("span", "", row);
    if (colour) element("i", "", label).style.background = colour;
    label.append(name);
    element("span", value, row);
  };
  const hidden = name =>
    [...chart.querySelectorAll("[data-line]")].some(l => l.dataset.line === name && l.hasAttribute("hidden"));

  function show(at) {
    current = Math.min(Math.max(at, 0), days.length - 1);
    box.replaceChildren();
    element("b", new Date(days[current] * 864e5).toISOString().slice(0, 10), box);
    for (const row of data.rows) {
      if (row.states) {
        entry(row.title, row.names[row.states[current]]);
        continue;
      }
      const known = row.lines.filter(l => (l.values[current] ?? null) !== null && !hidden(l.name));
      if (known.length) element("u", row.title, box);
      const said = value => (row.digits === null ? value.toLocaleString("en-US", { maximumFractionDigits: 20 }) : value.toFixed(row.digits));
      for (const l of known) entry(l.name, `${said(l.values[current])} ${row.unit}`, l.colour);
    }
    const share = positions[current] / Math.max(data.last, 1);
    const left = plot.offsetLeft + share * plot.offsetWidth;
    cursor.style.left = `${left}px`;
    cursor.style.top = `${plot.getBoundingClientRect().top - chart.getBoundingClientRect().top}px`;
    box.style.left = share < 0.5 ? `${left + 12}px` : "";
    box.style.right = share < 0.5 ? "" : `${chart.offsetWidth - left + 12}px`;
    cursor.hidden = box.hidden = false;
  }
  function hide() {
    cursor.hidden = box.hidden = true;
  }
  function nearest(event) {
    const frame = plot.getBoundingClientRect();
    const place = ((event.clientX - frame.left) / frame.width) * data.last;
    let low = 0, high = positions.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[middle] + 0.5 < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  chart.addEventListener("pointermove", event => show(nearest(event)));
  chart.addEventListener("pointerdown", event => show(nearest(event)));
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21 }[event.key];
    const end = { Home: 0, End: days.length - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step && end === undefined) return;
    event.preventDefault();
    show(end ?? current + (event.shiftKey ? 21 : 1) * step);
  });
}
