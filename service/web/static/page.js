// Everything works without this file. It prints receipts, keeps a second press from sending, and opens sealed values in
// their place, so that what was typed beside them stays.
"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const form of document.querySelectorAll("form[method=post]:not([data-open])")) {
  form.addEventListener("submit", (event) => {
    // After the browser has read which button was pressed, and others whether it may be sent.
    setTimeout(() => {
      if (!event.defaultPrevented) form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    });
  });
}

// A page that comes back out of the browser's memory can be sent again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[disabled]").forEach((button) => { button.disabled = false; });
});

for (const form of document.querySelectorAll("form[data-open]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById("opened") || page.getElementById("trouble");
      document.getElementById("opened").replaceChildren(...found.childNodes);
    } catch {
      form.submit();
    }
  });
}

const trouble = document.getElementById("trouble");
if (trouble) trouble.focus();
