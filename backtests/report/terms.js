"use strict";
// Shows a term's definition under the pointer and under the keyboard's focus.
{
  const box = document.body.appendChild(document.createElement("div"));
  box.id = "definition";
  box.hidden = true;
  box.setAttribute("aria-hidden", "true"); // the link already names its definition
  const show = event => {
    const link = event.target.closest?.(".term");
    box.hidden = !link;
    if (!link) return;
    box.textContent = document.querySelector(link.hash).textContent;
    const frame = link.getBoundingClientRect();
    const below = frame.bottom + 6 + box.offsetHeight < innerHeight;
    box.style.top = `${below ? frame.bottom + 6 : frame.top - 6 - box.offsetHeight}px`;
    box.style.left = `${Math.max(6, Math.min(frame.left, innerWidth - box.offsetWidth - 6))}px`;
  };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, show);
  for (const name of ["scroll", "focusout"]) document.addEventListener(name, () => (box.hidden = true), true);
  document.addEventListener("keydown", event => event.key === "Escape" && (box.hidden = true));
}
