// Plays the tunes of a page where they stand. An element with data-tune gets buttons; pressed, every note is an
// oscillator with a soft envelope, and a line moves over the roll, or a mark over the text. One plays at a time; Escape
// ends it.
// Without a script, or where the browser has no Web Audio, there are no buttons. What is read are numbers (tunes.py).
(() => {
  "use strict";
  if (!window.AudioContext) return;
  // Seconds: until a note is there, until it is gone, its fading while it is held, before the first note.
  const ATTACK = 0.012, RELEASE = 0.06, FADING = 0.7, LEAD = 0.08;
  const HELD = 0.45; // what a long note fades to
  const LOUDEST = 0.8; // of all notes of the fullest frame together: their sum never reaches one
  const PARTIALS = [0, 1, 0.42, 0.2, 0.1, 0.05];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let playing = null;

  const frequency = (note) => 440 * 2 ** ((note - 69) / 12);
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  const numbersIn = (text) => text.split(" ").filter(Boolean).map(Number);

  function tuneOf(element) {
    const { tune, seconds, frames, given, places } = element.dataset;
    const numbers = numbersIn(tune), notes = [];
    for (let i = 0; i + 2 < numbers.length; i += 3) notes.push(numbers.slice(i, i + 3));
    return { notes, seconds: +seconds, frames: +frames, given: +given, places: numbersIn(places ?? "") };
  }

  // The most notes that are on in one frame.
  function fullest({ notes, frames }) {
    const changes = new Array(frames + 1).fill(0);
    for (const [, start, end] of notes) { changes[start] += 1; changes[end] -= 1; }
    let on = 0;
    return changes.reduce((most, change) => Math.max(most, on += change), 1);
  }

  // Every note from frame `from` on; the first one sounds at `at`, in the context's time. Returns when the last one ends.
  function schedule(context, out, tune, from, at) {
    const wave = context.createPeriodicWave(new Float32Array(PARTIALS.length), Float32Array.from(PARTIALS));
    const level = LOUDEST / fullest(tune);
    for (const [note, start, end] of tune.notes) {
      if (end <= from) continue;
      const on = at + (Math.max(start, from) - from) * tune.seconds, off = at + (end - from) * tune.seconds;
      const attack = Math.min(ATTACK, 0.2 * (off - on)), release = Math.min(RELEASE, 0.4 * (off - on));
      const voice = context.createOscillator(), gain = context.createGain();
      voice.setPeriodicWave(wave);
      voice.frequency.value = frequency(note);
      gain.gain.setValueAtTime(0, on);
      gain.gain.linearRampToValueAtTime(level, on + attack);
      gain.gain.setTargetAtTime(HELD * level, on + attack, FADING);
      gain.gain.setTargetAtTime(0, off - release, release / 5);
      voice.connect(gain).connect(out);
      voice.start(on);
      voice.stop(off);
    }
    return at + (tune.frames - from) * tune.seconds;
  }

  function stop() {
    if (!playing) return;
    const { context, out, player, button, line } = playing;
    playing = null;
    out.gain.setTargetAtTime(0, context.currentTime, 0.015);
    setTimeout(() => context.close(), 150);
    if (line) line.remove();
    window.CSS?.highlights?.delete("playing");
    button.tell("Play");
    player.time.textContent = "";
  }

  function play(player, button, from) {
    stop();
    const context = new AudioContext(), out = context.createGain();
    out.connect(context.destination);
    const begin = context.currentTime + LEAD;
    const end = schedule(context, out, player.tune, from, begin);
    playing = { context, out, player, button, from, begin, end, line: player.roll && !still.matches && drawLine(player.roll) };
    button.tell("Stop");
    const now = playing;
    context.resume().catch(() => { if (now === playing) stop(); }); // closed before it began, or not allowed to
    move(now);
  }

  function drawLine(roll) {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("class", "playhead");
    line.setAttribute("y2", roll.dataset.foot);
    return roll.appendChild(line);
  }

  // The letter of the note that sounds: the last one that has begun.
  function markText({ element, tune }, frame) {
    const at = tune.notes.findLastIndex(([, start]) => start <= frame);
    let place = tune.places[at];
    const texts = document.createTreeWalker(element.querySelector("code"), NodeFilter.SHOW_TEXT);
    while (at >= 0 && texts.nextNode()) {
      const node = texts.currentNode;
      if (place < node.length) {
        const range = new Range();
        range.setStart(node, place);
        range.setEnd(node, place + 1);
        return void CSS.highlights.set("playing", new Highlight(range));
      }
      place -= node.length;
    }
  }

  function move(now) {
    if (now !== playing) return;
    const { context, player, begin, end, from, line } = now;
    if (context.currentTime >= end) return void stop();
    const { tune, element } = player;
    const frame = from + Math.max(0, context.currentTime - begin) / tune.seconds;
    const told = `${clock(frame * tune.seconds)} of ${clock(tune.frames * tune.seconds)}`;
    if (player.time.textContent !== told) player.time.textContent = told;
    if (line) {
      const { left, frame: width } = player.roll.dataset, x = +left + frame * +width;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      if (element.scrollWidth > element.clientWidth) element.scrollLeft = x - element.clientWidth / 2;
    }
    if (tune.places.length && element.matches("figure") && window.Highlight && !still.matches) markText(player, frame);
    requestAnimationFrame(() => move(now));
  }

  function buttonOf(player, text, name, from) {
    const button = document.createElement("button");
    button.type = "button";
    button.tell = (verb) => {
      button.textContent = verb === "Stop" ? "■ Stop" : `▶ ${text}`;
      button.setAttribute("aria-label", verb === "Stop" ? `Stop ${name}` : `${text}: ${name}`);
    };
    button.tell("Play");
    button.addEventListener("click", () => (playing && playing.button === button ? stop() : play(player, button, from)));
    return button;
  }

  for (const element of document.querySelectorAll("[data-tune]")) {
    const player = { element, tune: tuneOf(element), roll: element.querySelector("svg"), time: document.createElement("span") };
    const bar = document.createElement("span"), name = element.dataset.name;
    bar.className = "player";
    player.time.className = "time";
    bar.append(buttonOf(player, "Play", name, 0));
    if (element.matches("figure") && player.tune.given) {
      bar.append(buttonOf(player, "Skip the beginning", name, player.tune.given));
    }
    bar.append(player.time);
    element.prepend(bar);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
})();
