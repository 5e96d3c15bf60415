// Everything works without this file; it only improves. No dependencies.

document.documentElement.dataset.scripts = "";

// A form is sent once: a second click while it is on its way does nothing.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    const button = form.querySelector("button");
    if (form.dataset.busy) {
      button.dataset.text = button.textContent;
      button.textContent = form.dataset.busy;
    }
  });
}

// Coming back with the browser's button: the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) {
    form.removeAttribute("aria-busy");
    const button = form.querySelector("button");
    if (button.dataset.text) button.textContent = button.dataset.text;
  }
});

// The code sends itself when its last digit is there.
for (const form of document.querySelectorAll("form[data-digits]")) {
  const input = form.querySelector("input[name=code]");
  input.focus();
  input.select(); // what was wrong is typed over
  input.addEventListener("input", () => {
    const digits = input.value.replace(/[\s-]/g, "");
    if (/^[0-9]+$/.test(digits) && digits.length === Number(form.dataset.digits)) {
      form.requestSubmit();
    }
  });
}

// "Send again" counts down to when it may be used.
for (const button of document.querySelectorAll("button[data-wait]")) {
  const text = button.textContent;
  const end = Date.now() + Number(button.dataset.wait) * 1000;
  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    button.disabled = seconds > 0;
    button.textContent =
      seconds > 0 ? button.dataset.waitText.replace("{seconds}", seconds) : text;
    if (seconds > 0) setTimeout(tick, 250);
  };
  tick();
}

// What only a script can do is shown where there is one.
for (const element of document.querySelectorAll("[data-with-script]")) {
  element.hidden = false;
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const text = button.textContent;
  if (!navigator.clipboard) button.hidden = true; // only where the page is secure
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return; // not allowed here; the link stands above the button
    }
    button.textContent = button.dataset.done;
    document.querySelector("[data-announce]").textContent = button.dataset.done;
    setTimeout(() => { button.textContent = text; }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-share]")) {
  if (!navigator.share) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator
      .share({ text: button.dataset.shareText, url: button.dataset.share })
      .catch(() => {}); // closed without sharing
  });
}

// A worker solves the task, then the form is sent with the solution.
for (const input of document.querySelectorAll("input[data-task]")) {
  if (!window.Worker || !window.crypto?.subtle) continue; // no HTTPS: people wait
  const show = (isSolving) => {
    input.form.querySelector("[data-solving]").hidden = !isSolving;
    input.form.querySelector("[data-wait-first]").hidden = isSolving;
  };
  show(true);
  const worker = new Worker(input.dataset.worker);
  worker.addEventListener("message", ({ data: solution }) => {
    input.value = solution;
    input.disabled = false;
    input.form.requestSubmit();
  });
  worker.addEventListener("error", () => show(false));
  setTimeout(() => show(false), 60_000); // it goes on, but people can do something
  worker.postMessage(JSON.parse(input.value));
  // Coming back with the browser's button: the solution is used up.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    input.disabled = true;
    show(false);
  });
}
