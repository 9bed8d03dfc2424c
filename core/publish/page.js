"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const film = document.getElementById("film"), scrub = document.getElementById("scrub");
  const where = document.getElementById("where"), hits = document.getElementById("hits"), now = document.getElementById("now");
  const find = document.getElementById("find"), play = document.getElementById("play");
  const WINDOW = 160, heads = new Map(data.heads.map(head => [head[0], head[2]]));
  let first = 0, end = 0, found = [], hit = -1, timer = 0;

  const upTo = (rows, seq, key) => {                       // how many rows lie at or before seq
    let low = 0, high = rows.length;
    while (low < high) { const mid = (low + high) >> 1; if (key(rows[mid]) <= seq) low = mid + 1; else high = mid; }
    return low;
  };
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const clock = ms => {
    if (ms === null || ms === undefined) return "";
    const s = Math.floor(ms / 1000), pad = value => String(value).padStart(2, "0");
    return `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
  };
  const output = text => {
    const pre = make("pre");
    for (const line of text.split("\n")) {
      const kind = line.startsWith("+") && !line.startsWith("+++") ? "add" : line.startsWith("-") && !line.startsWith("---") ? "del" : "";
      pre.append(kind ? make("span", kind, line) : line, "\n");
    }
    return pre;
  };
  const entry = item => {
    const node = make("div", `entry ${item.w} ${item.k}${item.f ? " failed" : ""}`);
    node.id = `e${item.s}`;
    const who = make("div", "who"), name = item.k === "call" || item.k === "result" ? item.n : item.w;
    who.append(make("b", "", name || item.w), ` ${item.k === "text" ? "" : item.k} #${item.s} ${clock(item.t)}`);
    node.append(who);
    if (item.k === "result") node.append(output(item.x || "(no output)"));
    else if (item.k === "call") node.append(output(item.x));
    else node.append(make("div", "text", item.x));
    return node;
  };
  const draw = (from, to) => {
    first = Math.max(0, from); end = Math.min(data.items.length, to);
    const nodes = [];
    if (first > 0) { const more = make("button", "", `${first.toLocaleString()} earlier`); more.onclick = () => earlier(); nodes.push(more); }
    for (let index = first; index < end; index++) {
      const item = data.items[index];
      if (heads.has(item.s) && (index === 0 || data.items[index - 1].s !== item.s)) nodes.push(make("div", "chapter", heads.get(item.s)));
      nodes.push(entry(item));
    }
    const left = data.items.length - end;
    if (left > 0) { const more = make("button", "", `${left.toLocaleString()} later`); more.onclick = () => draw(first, end + WINDOW); nodes.push(more); }
    film.replaceChildren(...nodes);
  };
  const earlier = () => {
    const anchor = data.items[first];
    draw(first - WINDOW, end);
    document.getElementById(`e${anchor.s}`).scrollIntoView();
  };
  const at = (rows, seq, nothing) => { const count = upTo(rows, seq, row => row[0]); return count ? rows[count - 1][1] : nothing; };
  const show = (seq, scroll) => {
    seq = Math.min(Math.max(1, seq), data.last);
    scrub.value = seq;
    const count = upTo(data.items, seq, item => item.s);
    draw(count - WINDOW, count);
    const item = data.items[Math.max(0, count - 1)];
    where.textContent = `#${seq.toLocaleString()} of ${data.last.toLocaleString()}  ${item ? clock(item.t) : ""}`;
    now.replaceChildren(
      make("h2", "", `As of #${seq.toLocaleString()}`),
      make("p", "", `spent $${at(data.cost, seq, 0).toFixed(4)}`),
      make("p", "", `context ${at(data.context, seq, 0).toLocaleString()} tokens`),
      make("p", "", `${upTo(data.calls, seq, row => row).toLocaleString()} calls`),
      ...at(data.plans, seq, []).map(step => make("p", step[0] === "active" ? "" : "muted", `${{done: "✓", active: "▸", dropped: "−"}[step[0]] || "·"} ${step[1]}`)));
    const last = item && document.getElementById(`e${item.s}`);
    if (scroll && last) last.scrollIntoView({ block: "end" });
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "▶"; };
  const toggle = () => {
    if (timer) return stop();
    if (Number(scrub.value) >= data.last) show(1);
    play.textContent = "❚❚";
    timer = setInterval(() => {
      const count = upTo(data.items, Number(scrub.value), item => item.s);
      if (count >= data.items.length) return stop();
      show(data.items[count].s, true);
    }, 400);
  };
  const search = () => {
    const words = find.value.toLowerCase();
    found = words ? data.items.flatMap((item, index) => item.x.toLowerCase().includes(words) || (item.n || "").toLowerCase().includes(words) ? [index] : []) : [];
    hit = -1;
    hits.textContent = words ? `${found.length.toLocaleString()} found` : "";
  };
  const next = step => {
    if (!found.length) return;
    hit = (hit + step + found.length) % found.length;
    const index = found[hit];
    scrub.value = data.items[index].s;
    draw(index - WINDOW / 2, index + WINDOW / 2);
    const node = document.getElementById(`e${data.items[index].s}`);
    node.classList.add("hit");
    node.scrollIntoView({ block: "center" });
    hits.textContent = `${(hit + 1).toLocaleString()} of ${found.length.toLocaleString()}`;
  };
  const go = seq => {
    const index = Math.max(0, upTo(data.items, seq, item => item.s) - 1);
    show(seq);
    draw(index - WINDOW / 4, index + WINDOW);
    const node = document.getElementById(`e${data.items[index] ? data.items[index].s : 0}`);
    if (node) { node.classList.add("hit"); node.scrollIntoView({ block: "center" }); }
  };
  scrub.addEventListener("input", () => { stop(); show(Number(scrub.value), true); });
  play.addEventListener("click", toggle);
  find.addEventListener("input", search);
  find.addEventListener("keydown", event => { if (event.key === "Enter") next(event.shiftKey ? -1 : 1); });
  document.addEventListener("click", event => {
    const link = event.target.closest && event.target.closest("a[data-seq]");
    if (link) { event.preventDefault(); stop(); go(Number(link.dataset.seq)); }
  });
  document.addEventListener("keydown", event => {
    if (event.target === find || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") { event.preventDefault(); toggle(); }
    else if (event.key === "/") { event.preventDefault(); find.focus(); }
    else if (event.key === "n" || event.key === "N") next(event.key === "n" ? 1 : -1);
    else if (event.key === "]" || event.key === "[") { stop(); show(Number(scrub.value) + (event.key === "]" ? 1 : -1), true); }
  });
  show(data.last);
  window.scrollTo({ top: 0 });
  if (data.items.length) draw(0, WINDOW);
})();
