// The provider's card field tells this page what it made of the card; the form takes it along.
"use strict";
(() => {
  const WAIT_MS = 6000; // how long a card that was just typed may take to be read
  const AGAIN_MS = 1500; // the same, when the field has just said what is wrong with it

  const form = document.getElementById("card-form");
  const frame = document.getElementById("card-frame");
  const token = document.getElementById("card-token");
  const problem = document.getElementById("card-problem");
  const status = document.getElementById("card-status");
  const provider = new URL(frame.src).origin;
  let sending = false;
  let timer = 0;

  const stop = () => {
    sending = false;
    window.clearTimeout(timer);
    status.textContent = "";
  };

  const complain = (sentence) => {
    problem.textContent = sentence;
    problem.hidden = false;
    if (sending) problem.focus();
    stop();
  };

  const read = (data) => {
    try {
      const content = JSON.parse(data);
      return content !== null && typeof content === "object" ? content : null;
    } catch {
      return null;
    }
  };

  window.addEventListener("message", (event) => {
    if (event.origin !== provider || event.source !== frame.contentWindow) return;
    const said = read(event.data);
    if (said === null) return;
    if (said.cardTyping === true) {
      token.value = "";
      problem.hidden = true;
      return;
    }
    if (typeof said.message !== "string") return;
    token.value = said.message;
    if (said.message) {
      problem.hidden = true;
      if (sending) form.requestSubmit();
    } else if (said.validationError) {
      complain("Check the card number and the security code.");
    } else {
      complain("The card could not be read. Enter it again.");
    }
  });

  form.addEventListener("submit", (event) => {
    if (token.value) {
      stop();
      return;
    }
    event.preventDefault();
    if (sending) return;
    sending = true;
    status.textContent = "Reading the card…";
    const known = problem.hidden ? "" : problem.textContent;
    timer = window.setTimeout(
      () => complain(known || "Enter the card number and the security code, then save again."),
      known ? AGAIN_MS : WAIT_MS,
    );
  });

  form.hidden = false;
})();
