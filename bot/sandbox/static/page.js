// The page: asks the sandbox what there is, shows it, and sends what is typed, as whoever is being played.

import { ago, avatar, botAvatar, codeIn, element, keep, text, time } from "./view.js";

const $ = (id) => document.getElementById(id);
const LIMIT = 280;
const state = { view: null, person: null, context: null, seen: remembered(), ahead: 0, wanted: 0, refreshing: null };

// --- talking to the sandbox ---

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail ?? `The sandbox answered ${answer.status}.`);
  return content;
}

// Resolves when everything that was there at the call is shown; calls in between share one question.
function refresh() {
  state.wanted += 1;
  state.refreshing ??= refreshing();
  return state.refreshing;
}

async function refreshing() {
  try {
    for (let served = -1; served !== state.wanted;) {
      served = state.wanted;
      const view = await ask(`/sandbox/view?person=${state.person ?? ""}`).catch(() => null);
      if (view) show(view);
      else live(false);
    }
  } finally {
    state.refreshing = null; // in the same breath as the last look at what is wanted: a wish in between would be lost
  }
}

function listen() {
  let polling = null;
  const stopPolling = () => { clearInterval(polling); polling = null; };
  const events = new EventSource("/sandbox/events");
  events.onopen = () => { stopPolling(); live(true); };
  events.onmessage = refresh;
  events.onerror = () => {
    live(false);
    polling ??= setInterval(refresh, 2000);
  };
}

function live(on) {
  $("live").classList.toggle("on", on);
  const words = on ? "live" : "reconnecting";
  if ($("live").textContent !== words) $("live").textContent = words;
}

// --- showing ---

function show(view) {
  state.view = view;
  state.ahead = new Date(view.now) - Date.now();
  if (!view.people.some((person) => person.id === state.person)) {
    const first = view.people[0]?.id ?? null;
    if (first !== state.person) { state.person = first; state.wanted += 1; count(); }
  }
  noteSeen();
  showPeople(view);
  showComposer(view);
  showTimeline(view);
  showMessages(view);
  showMoney(view);
  const pages = $("bot-pages");
  pages.hidden = !view.bot_pages;
  if (view.bot_pages) pages.href = view.bot_pages;
}

const now = () => new Date(Date.now() + state.ahead);
const current = () => state.view?.people.find((person) => person.id === state.person) ?? null;
const isBot = (id) => state.view.bot?.id === id;
const face = (id, size) => (isBot(id) ? botAvatar(size) : avatar(id, size));
const messagesShown = () => getComputedStyle($("panel-messages")).display !== "none";

// A person's messages count as seen while their thread is on the screen; so do those from before the page was opened.
function noteSeen() {
  const person = current();
  if (!state.seen) state.seen = Object.fromEntries(state.view.people.map((each) => [each.id, each.last_from_bot]));
  for (const each of state.view.people) state.seen[each.id] ??= "";
  if (person && messagesShown() && !document.hidden) state.seen[person.id] = person.last_from_bot;
  sessionStorage.setItem("seen", JSON.stringify(state.seen));
}

function remembered() {
  try { return JSON.parse(sessionStorage.getItem("seen")); } catch { return null; }
}

const hasNews = (person) => person.last_from_bot !== "" && state.seen[person.id] !== person.last_from_bot;

function showPeople(view) {
  const purses = new Map((view.wallets ?? []).map((wallet) => [wallet.person_id, wallet]));
  const rows = view.people.map((person) => ({
    ...person, purse: purses.get(person.id) ?? null, news: hasNews(person), chosen: person.id === state.person, last_from_bot: "",
  }));
  const focused = document.activeElement?.name === "person";
  keep($("roles"), rows, (person) => person.id, role);
  if (focused) document.querySelector("input[name=person]:checked")?.focus();
}

function role(person) {
  const box = element("input", { type: "radio", name: "person", class: "hidden", value: person.id, onchange: () => play(person.id) });
  box.checked = person.chosen;
  const purse = person.purse && element("span", { class: "purse" }, person.purse.available,
    person.purse.enrolled === false ? element("small", {}, "not joined yet") : null,
    person.purse.held ? element("small", {}, `${person.purse.held} held`) : null);
  return element("label", { class: "role" }, box, avatar(person.id, 40),
    element("span", { class: "who" }, element("strong", {}, person.name),
      element("span", { class: "handle" }, `@${person.username}${person.suspended ? " (suspended)" : ""}`)),
    person.news ? element("span", { class: "dot", title: "new message" }, element("span", { class: "hidden" }, "new message")) : null,
    purse);
}

function play(id) {
  state.person = id;
  setContext(null);
  $("answer-error").textContent = $("tweet-error").textContent = "";
  count();
  if (state.view) show(state.view);
  refresh();
}

function showComposer(view) {
  const person = current();
  $("speaker").replaceChildren(...(person ? [avatar(person.id, 36),
    element("span", {}, element("strong", {}, person.name), element("span", { class: "handle" }, ` @${person.username}`))] : []));
  const bot = view.bot?.username ?? "smoney";
  const others = view.people.filter((each) => each.id !== state.person).map((each) => each.username);
  const to = others[0] ?? "alice";
  const second = others[1] ?? to;
  chips($("tweet-chips"), [
    `@${bot} send 10€ to @${to}`, `@${bot} envoyer 12,99€ @${second}`, `@${bot} send 3€ @${to} for the coffee`,
  ], $("tweet"));
  $("tweet").placeholder = `Tweet something at @${bot}`;
  $("tweet-send").disabled = !person;
}

function chips(box, words, field) {
  keep(box, words, (each) => each, (each) => element("button", {
    type: "button", class: /^[A-Z] ?\d{6}$/.test(each) ? "code-chip" : null,
    onclick: () => { field.value = each; field.focus(); field.dispatchEvent(new Event("input")); },
  }, each));
}

function showTimeline(view) {
  const threads = new Map();
  for (const post of [...view.posts].reverse()) {
    if (!threads.has(post.conversation_id)) threads.set(post.conversation_id, []);
    threads.get(post.conversation_id).push(post);
  }
  const newest = [...threads.entries()].reverse()
    .map(([id, posts]) => ({ id, posts, mine: state.person, minute: "" }));
  keep($("threads"), newest, (thread) => thread.id, (thread) =>
    element("li", { class: "card thread" }, ...thread.posts.map(article)));
  $("timeline-empty").hidden = newest.length > 0;
}

function article(post) {
  const bot = isBot(post.author.id);
  const own = post.author.id === state.person && !post.repost;
  const act = (label, name, run) => element("button", { type: "button", class: "quiet", "aria-label": name, onclick: run }, label);
  return element("article", { class: `post${post.in_reply_to ? " reply" : ""}` }, face(post.author.id, post.in_reply_to ? 36 : 42),
    element("div", {},
      element("div", { class: "by" }, element("strong", {}, post.author.name),
        element("span", { class: "handle" }, `@${post.author.username}`), bot ? element("span", { class: "bot-tag" }, "Automated") : null,
        time(post.at, now()), post.edited ? element("span", { class: "mark-edited" }, "edited") : null),
      post.in_reply_to ? element("p", { class: "to" }, `answers @${post.in_reply_to}`) : null,
      element("p", { class: "text" }, ...text(post.parts)),
      element("div", { class: "acts" },
        act("Reply", `Reply to ${post.author.username}`, () => setContext({ kind: "reply", post })),
        own ? act("Edit", "Edit this post", () => setContext({ kind: "edit", post })) : null,
        own ? act("Delete", "Delete this post", () => remove(post)) : null)));
}

function setContext(context) {
  state.context = context;
  $("context").hidden = !context;
  $("tweet-send").textContent = context?.kind === "edit" ? "Save" : context ? "Reply" : "Tweet";
  if (!context) return;
  const { kind, post } = context;
  $("context-text").textContent = kind === "edit" ? "A new version of this post" : `In reply to @${post.author.username}`;
  if (kind === "edit") {
    $("tweet").value = post.parts.map((part) => part.text).join("");
    count();
  }
  $("tweet").focus();
}

async function remove(post) {
  try { await ask("/sandbox/delete", { id: post.id }); } catch (error) { $("tweet-error").textContent = error.message; }
}

function showMessages(view) {
  const person = current();
  const bot = view.bot;
  $("panel-messages").hidden = !bot;
  $("tab-dot").hidden = !(person && hasNews(person));
  if (!bot) return;
  $("messages-sub").textContent = person ? `${person.name} and @${bot.username}` : "";
  const log = $("log");
  const changed = log.dataset.person !== state.person;
  const atEnd = changed || log.clientHeight === 0 || log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  if (changed) log.replaceChildren();
  log.dataset.person = state.person;
  const thread = view.person === state.person ? view.thread : [];
  keep(log, thread, (message) => message.id, message);
  if (atEnd) log.scrollTop = log.scrollHeight;
  $("log-empty").textContent = thread.length || view.person !== state.person ? "" :
    `${person.name} has not written to @${bot.username} yet. Say “start” to join: the bot may only write to people who wrote first.`;
  $("answer").placeholder = person ? `Write as ${person.name}` : "";
  $("answer-send").disabled = !person;
  chips($("answer-chips"), answers(thread), $("answer"));
}

function message(each) {
  return element("li", { class: `message ${each.from_bot ? "theirs" : "own"}` },
    element("div", { class: "bubble" }, element("span", { class: "hidden" }, each.from_bot ? "The bot: " : "You: "),
      ...text(each.parts, { codes: each.from_bot })),
    time(each.at, now()));
}

// What one would want to say next: the code that is open, or how to begin.
function answers(thread) {
  if (!thread.length) return ["start", "help"];
  const last = thread.at(-1);
  const code = last.from_bot ? codeIn(last.parts) : null;
  return code ? [code, "no"] : state.view.bot_pages ? ["balance", "top up 20€", "devices", "help"] : ["balance", "history", "help"];
}

function showMoney(view) {
  const there = view.transfers !== null && view.transfers !== undefined;
  $("panel-money").hidden = $("tab-money").hidden = !there;
  if (!there) return;
  $("transfers-empty").hidden = view.transfers.length > 0;
  keep($("transfers"), view.transfers, (transfer) => String(transfer.id), (transfer) => element("li", { class: "transfer" },
    element("span", { class: "route" }, transfer.debit, element("span", { class: "arrow", "aria-label": "to" }, "→"), transfer.credit),
    element("span", { class: "amount" }, transfer.amount),
    element("span", { class: "detail" }, transfer.reference ? `${transfer.reference} · ` : "", time(transfer.at, now())),
    element("span", { class: `state ${transfer.state}` }, transfer.state)));
}

// --- typing ---

let counting = null;

function count() {
  clearTimeout(counting);
  counting = setTimeout(countNow, 120);
}

async function countNow() {
  const given = $("tweet").value;
  const told = await ask("/sandbox/preview", { text: given, author: current()?.username ?? "" }).catch(() => null);
  if (!told || given !== $("tweet").value) return;
  const left = LIMIT - told.length;
  $("counter-text").textContent = left;
  $("ring").style.strokeDashoffset = String(100 - Math.min(100, (told.length / LIMIT) * 100));
  $("composer").classList.toggle("over", left < 0);
  $("reading").textContent = told.reading?.says ?? "";
  $("reading").className = `reading ${told.reading?.tone ?? ""}`;
}

async function tweet(event) {
  event.preventDefault();
  const field = $("tweet");
  if (!field.value.trim() || !state.person) { field.focus(); return; }
  await sending("tweet", async () => {
    const { kind, post } = state.context ?? {};
    if (kind === "edit") await ask("/sandbox/edit", { id: post.id, text: field.value });
    else await ask("/sandbox/posts", { author: state.person, text: field.value, ...(kind === "reply" ? { in_reply_to: post.id } : {}) });
    setContext(null);
    field.value = "";
    count();
  });
}

async function answer(event) {
  event.preventDefault();
  const field = $("answer");
  if (!field.value.trim() || !state.person) { field.focus(); return; }
  await sending("answer", async () => {
    await ask("/sandbox/messages", { sender: state.person, recipient: state.view.bot.id, text: field.value });
    field.value = "";
  });
}

async function sending(name, run) {
  const button = $(`${name}-send`);
  $(`${name}-error`).textContent = "";
  button.disabled = true;
  try {
    await run();
    await refresh();
  } catch (error) {
    $(`${name}-error`).textContent = error.message;
  } finally {
    button.disabled = false;
    $(name).focus();
  }
}

async function createPerson(event) {
  event.preventDefault();
  $("new-person-error").textContent = "";
  try {
    const made = await ask("/sandbox/people", { username: $("new-username").value.replace(/^@/, ""), name: $("new-name").value });
    openNewPerson(false);
    await refresh();
    play(made.id);
  } catch (error) { $("new-person-error").textContent = error.message; }
}

function openNewPerson(open) {
  $("new-person").hidden = !open;
  $("new-person-open").setAttribute("aria-expanded", String(open));
  $("new-person").reset();
  (open ? $("new-username") : $("new-person-open")).focus();
}

function openTab(name) {
  $("board").dataset.tab = name;
  for (const button of document.querySelectorAll(".tabs button")) button.setAttribute("aria-pressed", String(button.dataset.tab === name));
  if (state.view) show(state.view);
  $("log").scrollTop = $("log").scrollHeight;
  window.scrollTo(0, 0);
}

function refreshTimes() {
  for (const each of document.querySelectorAll("time")) {
    const words = ago(new Date(each.dateTime), now());
    if (each.textContent !== words) each.textContent = words;
  }
}

// --- beginning ---

$("composer").addEventListener("submit", tweet);
$("tweet").addEventListener("input", count);
$("tweet").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("composer").requestSubmit();
  if (event.key === "Escape") setContext(null);
});
$("context-drop").addEventListener("click", () => setContext(null));
$("answer-form").addEventListener("submit", answer);
$("new-person").addEventListener("submit", createPerson);
$("new-person-open").addEventListener("click", () => openNewPerson($("new-person").hidden));
$("new-person-close").addEventListener("click", () => openNewPerson(false));
for (const button of document.querySelectorAll(".tabs button")) button.addEventListener("click", () => openTab(button.dataset.tab));
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(refreshTimes, 15000);
count();
refresh().then(listen);
