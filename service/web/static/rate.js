// Everything works without this file. It takes the key of a link from behind the #, says before sending that a bad rating
// needs a reason, and lets a kiosk forget: nothing of anybody is left in its history, nor on its screen.
"use strict";

const kiosk = document.body.dataset.kiosk;
const QUIET = Number(document.body.dataset.quiet) * 1000;
const LAST_CHANCE = 20_000;
const AGAIN = 5_000;

// What stands behind the # never left this device; it is sent in the body, and taken out of the address.
function takeKey() {
  const field = document.querySelector("[data-link]");
  const key = location.hash.slice(1);
  if (!field || !key || key === "main") return;
  field.value = key;
  history.replaceState(null, "", location.pathname + location.search);
  field.form.requestSubmit();
}

function lacksReason(form) {
  const grade = form.querySelector("input[name=grade]:checked");
  if (!grade || !("bad" in grade.dataset)) return false;
  const ticked = form.querySelector(`input[name="codes.${grade.value}"]:checked`);
  return !ticked && !form.elements.text.value.trim();
}

function tell(id) {
  const said = document.getElementById(id);
  said.hidden = false;
  said.focus();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-rating]") && lacksReason(form)) {
    event.preventDefault();
    tell("reason-missing");
  } else if (kiosk) {
    event.preventDefault();
    carry(form);
  }
});

// A kiosk asks for its pages itself, so that the history holds one page alone, and nothing that was sent.
async function carry(form) {
  const body = new URLSearchParams(new FormData(form));
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    draw(await answer.text());
    // What is quiet begins with what is shown.
    stir();
  } catch {
    buttons.forEach((button) => { button.disabled = false; });
    tell("offline");
  }
}

function draw(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  if (page.body.dataset.kiosk !== kiosk) throw new Error("no page of this kiosk");
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.body.replaceChildren(...page.body.childNodes);
  window.scrollTo(0, 0);
  const first = document.getElementById("trouble") || document.querySelector("[autofocus]") || document.querySelector("h1");
  if (first.tagName === "H1") first.tabIndex = -1;
  first.focus();
}

let waiting = 0;

function stir() {
  clearTimeout(waiting);
  const still = document.getElementById("still");
  if (still) still.hidden = true;
  waiting = setTimeout(ask, QUIET);
}

function ask() {
  const still = document.getElementById("still");
  still.hidden = false;
  still.querySelector("button").focus();
  waiting = setTimeout(forget, LAST_CHANCE);
}

// At once off the screen; then the first page, as soon as it can be had.
async function forget() {
  clearTimeout(waiting);
  document.body.replaceChildren();
  try {
    const answer = await fetch(kiosk);
    if (!answer.ok) throw new Error(answer.statusText);
    location.replace(kiosk);
  } catch {
    waiting = setTimeout(forget, AGAIN);
  }
}

if (kiosk) {
  document.addEventListener("click", (event) => {
    if (!event.target.closest(`a[href="${kiosk}"]`)) return;
    event.preventDefault();
    forget();
  });
  for (const kind of ["pointerdown", "keydown", "input"]) document.addEventListener(kind, stir, true);
  // A first page as it stands there for everybody has nothing to forget.
  if (location.search) stir();
  window.addEventListener("pageshow", (event) => { if (event.persisted) forget(); });
}
window.addEventListener("hashchange", takeKey);
takeKey();
