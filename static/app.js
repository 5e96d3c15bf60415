// Everything works without this file; it only improves. No dependencies.

document.documentElement.dataset.scripts = "";

// The server shows days and times in the reader's zone.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.split("; ").includes(`timezone=${zone}`)) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `timezone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// A form is sent once: a second click while it is on its way does nothing.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    const button = event.submitter || form.querySelector("button");
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
    for (const button of form.querySelectorAll("button[data-text]")) {
      button.textContent = button.dataset.text;
    }
  }
});

// The code sends itself when its last digit is there.
for (const form of document.querySelectorAll("form[data-digits]")) {
  const input = form.querySelector("input[name=code]");
  input.focus();
  input.select(); // what was wrong is typed over
  input.addEventListener("input", () => {
    // Digits of any script; the server reads them, and texts with words, too.
    const digits = input.value.replace(/[\s.\p{Cf}\p{Pd}]/gu, "");
    if (/^\p{Nd}+$/u.test(digits) && [...digits].length === Number(form.dataset.digits)) {
      form.requestSubmit();
    }
  });
}

// Calls `show` with a clock such as 4:05, until it is 0:00.
const countDown = (seconds, show) => {
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.max(Math.ceil((end - Date.now()) / 1000), 0);
    const parts = [Math.floor(left / 60) % 60, left % 60];
    if (left >= 3600) parts.unshift(Math.floor(left / 3600));
    const [first, ...others] = parts.map(String);
    show([first, ...others.map((part) => part.padStart(2, "0"))].join(":"), left);
    if (left) setTimeout(tick, 250);
  };
  tick();
};

// "Send again" counts down to when it may be used.
for (const button of document.querySelectorAll("button[data-wait]")) {
  const text = button.textContent;
  countDown(Number(button.dataset.wait), (clock, left) => {
    button.disabled = left > 0;
    button.textContent =
      left > 0 ? button.dataset.waitText.replace("{clock}", clock) : text;
  });
}

// A clock on the page. When it ends, there is another page to see.
for (const element of document.querySelectorAll("[data-clock]")) {
  countDown(Number(element.dataset.clock), (clock, left) => {
    element.textContent = clock;
    if (!left) location.replace(element.dataset.then);
  });
}

// A phone number is written as in its country while it is typed. The server reads any
// spelling, so what fits no format stays as it is.
for (const input of document.querySelectorAll("input[data-formats]")) {
  const formats = input.dataset.formats.split("|");
  const formatted = (text) => {
    if (!/^[-+() \d]*$/.test(text)) return text;
    const digits = text.replace(/[^+\d]/g, "");
    for (const format of formats) {
      const begin = format.split("#")[0].replace(/[^+\d]/g, "");
      const rest = [...digits.slice(begin.length)];
      const places = format.split("#").length - 1;
      if (!digits.startsWith(begin) || !rest.length || rest.length > places) continue;
      if (rest.includes("+")) continue;
      let written = "";
      for (const character of format) {
        if (character === "#" && !rest.length) break;
        written += character === "#" ? rest.shift() : character;
      }
      return written.replace(/[^\d]+$/, "");
    }
    return text;
  };
  input.addEventListener("input", (event) => {
    if (event.inputType?.startsWith("delete")) return;
    const before = input.value.slice(0, input.selectionStart);
    const count = before.replace(/[^+\d]/g, "").length;
    const text = formatted(input.value);
    if (text === input.value) return;
    input.value = text;
    // The cursor stays behind the same digit.
    let place = 0;
    for (let seen = 0; seen < count; place += 1) {
      if (/[+\d]/.test(text[place])) seen += 1;
    }
    input.setSelectionRange(place, place);
  });
}

// Whether the code arrived: asked every few seconds, for a minute.
for (const element of document.querySelectorAll("[data-delivery]")) {
  let questions = 15;
  const ask = async () => {
    questions -= 1;
    try {
      const response = await fetch(element.dataset.delivery);
      if (!response.ok) return;
      const { status } = await response.json();
      if (status !== "sent") {
        element.textContent = element.dataset[status];
        return;
      }
    } catch {
      return; // offline, or leaving the page; reloading it shows the same
    }
    if (questions > 0) setTimeout(ask, 4500);
  };
  setTimeout(ask, 4500);
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
  if (matchMedia("(pointer: coarse)").matches) {
    // On a phone, its own list of apps is the shortest way: first, and the main button.
    for (const other of button.parentElement.children) other.classList.add("quiet");
    button.classList.remove("quiet");
    button.parentElement.prepend(button);
  }
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
  worker.postMessage(JSON.parse(input.value));
  // Coming back with the browser's button: the solution is used up.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    input.disabled = true;
    show(false);
  });
}
