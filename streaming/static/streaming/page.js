const $ = (id) => document.getElementById(id);
const page = document.querySelector("main").dataset; // words by name, and the state for the stylesheet
const list = $("steps").children; // step n at n - 1
let total = 0, asking = null;

const socket = io({
  transports: ["websocket", "polling"], tryAllTransports: true, // what polls needs one process, or a sticky proxy
  auth: async (give) => { // a new token for each connection, kept nowhere else
    const csrf = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "";
    const response = await fetch(page.tokenUrl, { method: "POST", headers: { "X-CSRFToken": csrf } });
    if (response.ok) return give({ token: (await response.json()).access });
    socket.disconnect();
    $("login").hidden = false;
  },
});
const send = (event, payload, answered = () => {}) =>
  socket.emit(event, { session_id: sessionStorage.session, ...payload }, answered);
const resume = (place) => { sessionStorage.playing = "yes"; send("resume_explanation", place); };
const going = () => page.state === "waiting" || page.state === "playing";

function enter(state, message = page[state]) {
  page.state = state;
  sessionStorage.playing = going() ? "yes" : ""; // a reload plays on
  $("toggle").textContent = page[`${state}Button`];
  $("status").textContent = message.replace("{step}", list.length).replace("{total}", total);
}

function open({ step, title }) {
  cut({ step, position: 0 });
  const box = $("steps").appendChild($("step").content.firstElementChild.cloneNode(true));
  box.children[0].textContent = title;
  box.children[1].append(""); // the text node
}

function write({ step, chunk, position }) {
  const node = list[step - 1]?.querySelector("p").firstChild;
  const text = [...(node?.data ?? "")]; // positions count code points
  if (position < text.length) node.data = text.slice(0, position).join("");
  node?.appendData(chunk); // what the student has selected stays selected
}

function draw({ step, command: { alt }, n, at }) {
  const board = list[step - 1]?.querySelector("ul");
  if (!board || !alt || board.querySelector(`[data-n="${n}"]`)) return;
  const item = board.appendChild(document.createElement("li"));
  item.textContent = alt;
  Object.assign(item.dataset, { n, at });
}

function cut({ step, position }) {
  while (list.length > step - (position === 0)) list[list.length - 1].remove();
  write({ step, position, chunk: "" });
  for (const item of list[step - 1]?.querySelectorAll("li") ?? []) if (item.dataset.at > position) item.remove();
}

function ask() { // on a new connection once more: `request_id` makes it one ask
  send("ask_question", asking, ({ ok, session_id }) => { asking = null; if (ok) recover(session_id); });
}

function recover(id = sessionStorage.session) { // shows what the server knows, plays on what played here
  const wasPlaying = sessionStorage.playing;
  send("get_session", { session_id: id }, ({ session }) => {
    if (!session) return sessionStorage.removeItem("session");
    const { session_id, question, state, step, position } = session;
    sessionStorage.session = session_id;
    $("asked").textContent = question;
    total = session.total_steps;
    cut({ step: 0 });
    session.steps.forEach(({ title, content, canvas_commands: commands }, index) => {
      open({ step: index + 1, title });
      write({ step: index + 1, chunk: content, position: 0 });
      commands.forEach((command, n) => draw({ step: index + 1, command, n, at: command.at }));
    });
    if (page.state !== state) enter(state);
    if (session.playing_here || !["waiting", "playing", "paused"].includes(state)) return;
    if (wasPlaying) resume({ step, position });
    else if (going()) enter("paused", page.moved);
  });
}

$("ask").onsubmit = (event) => {
  event.preventDefault();
  $("question").value = event.submitter?.value || $("question").value; // an example brings its own
  $("question").blur(); // the keyboard of a phone leaves room
  $("error").textContent = "";
  asking = { question: $("question").value, request_id: `${Date.now()} ${Math.random()}` };
  socket.connected ? ask() : socket.active || socket.connect();
};
$("toggle").onclick = () => {
  $("error").textContent = "";
  if (going()) return send("pause_explanation");
  const shown = [...(list[list.length - 1]?.querySelector("p").textContent ?? "")];
  if (page.state === "complete") resume({ step: 1, position: 0 });
  else resume({ step: list.length || 1, position: shown.length }); // another device may have played it further
};
$("stop").onclick = () => send("stop_explanation");

const lost = () => { $("controls").disabled = true; $("status").textContent = page.reconnecting; };
socket.on("connect", () => { $("controls").disabled = false; asking ? ask() : recover(); });
socket.on("disconnect", (reason) => { lost(); if (reason === "io server disconnect") socket.connect(); });
socket.on("connect_error", ({ data }) => { lost(); if (data) $("error").textContent = data.message; });
socket.on("error", ({ code, message }) => {
  if (code === "token_expired" || code === "unauthorized") socket.disconnect().connect();
  else $("error").textContent = message;
});
socket.on("waiting_phrase", ({ message }) => enter("waiting", message));
socket.on("explanation_start", ({ total_steps }) => { total = total_steps; cut({ step: 0 }); });
socket.on("step_start", (step) => { open(step); if (page.state !== "paused") enter("playing"); });
socket.on("content_chunk", write);
socket.on("canvas_command", draw);
socket.on("explanation_complete", () => enter("complete"));
socket.on("explanation_stopped", () => enter("stopped"));
socket.on("explanation_seeked", cut);
socket.on("streaming_resumed", (place) => { cut(place); enter("playing"); });
socket.on("streaming_paused", (place) => {
  cut(place);
  if (["user", "moved"].includes(place.reason)) enter("paused", page[place.reason] ?? place.message);
});
