import assert from "node:assert/strict";
import { test } from "node:test";
import { texts, visible } from "./dom.mjs";
import { formulas } from "../../../streaming/frontend/src/text.js";

const { blocks } = await import("../../../streaming/frontend/src/markdown.js");
const { createTypesetter } = await import("../../../streaming/frontend/src/typeset.js");
const { createReveal } = await import("../../../streaming/frontend/src/reveal.js");

const typesetter = createTypesetter({ spoken: (tex) => `<${tex.length}> signs` });
await typesetter.formula(document.createElement("span"), "x"); // brings KaTeX
await typesetter.ready();

function set(content, complete = true) {
  const container = document.body.appendChild(document.createElement("div"));
  typesetter.update(container, content, complete);
  return container;
}

const outside = (container) => [...container.querySelectorAll("*")].filter((element) => !element.closest(".formula"));
const tags = (container) => outside(container).map(({ localName }) => localName).join(" ");

test("Markdown becomes elements", () => {
  const cases = {
    "a **b** *c* `d`": "<p>a <strong>b</strong> <em>c</em> <code>d</code></p>",
    "one\ntwo\n\nthree": "<p>one\ntwo</p><p>three</p>",
    "3. x\n4. y": '<ol start="3"><li>x</li><li>y</li></ol>',
    "# big\n### small": "<h4>big</h4><h4>small</h4>",
    "> q": "<blockquote><p>q</p></blockquote>",
    "| a | b |\n|--:|---|\n| 1 | 2 |":
      '<div class="wide"><table><thead><tr><th class="align-right">a</th><th>b</th></tr></thead>' +
      '<tbody><tr><td class="align-right">1</td><td>2</td></tr></tbody></table></div>',
    "```py\nx = 1\n```": "<pre><code>x = 1</code></pre>",
    "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
    "costs \\$5 and \\*this\\*": "<p>costs $5 and *this*</p>",
    "a\n===": "<p>a\n===</p>",
    "    indented": "<p>indented</p>",
  };
  for (const [content, html] of Object.entries(cases)) assert.equal(set(content).innerHTML, html);
});

test("every formula of the samples is set, says its source and is said in words", async () => {
  for (const content of texts) {
    const container = set(content);
    await typesetter.ready();
    const set_ = [...container.querySelectorAll(".formula")];
    const expected = formulas(content);
    assert.deepEqual(set_.map(({ dataset }) => dataset.source.replace(/^\$+|\$+$/g, "")), expected.map(({ tex }) => tex));
    set_.forEach((element, index) => {
      const { tex, display } = expected[index];
      assert.ok(element.querySelector(".katex > [aria-hidden]"), "is read in words, once");
      assert.equal(element.classList.contains("display"), display);
      assert.equal(element.getAttribute("role"), "math");
      assert.equal(element.getAttribute("aria-label"), `<${tex.length}> signs`);
    });
    assert.equal(container.querySelector(".formula-failed"), null);
    assert.doesNotMatch(container.textContent, /\\[a-zA-Z]/);
  }
});

test("nothing that is read out has a LaTeX command: not of a failed formula, a late one or one without words", async () => {
  const container = set(String.raw`This $\frac{1$ fails.`);
  assert.equal(container.querySelector(".formula-failed").getAttribute("aria-hidden"), "true");
  const late = document.createElement("p");
  createTypesetter({ spoken: () => "words" }).line(late, String.raw`$\sqrt x$`);
  assert.equal(late.querySelector(".formula").firstChild.getAttribute("aria-hidden"), "true");
  const wordless = document.createElement("p");
  typesetter.formula(wordless, String.raw`\sqrt x`);
  assert.ok(wordless.querySelector("math msqrt"));
  assert.doesNotMatch(wordless.textContent, /\\/);
});

test("formulas are found before Markdown sees their stars, lines and bars", () => {
  const container = set("*so $a*b_c$ and $d_e*f$*\n\n| $|x|$ | y |\n|---|---|\n\n- $a\n- b$ \ue000");
  const sources = [...container.querySelectorAll(".formula")].map(({ dataset }) => dataset.source);
  assert.deepEqual(sources, ["$a*b_c$", "$d_e*f$", "$|x|$", "$a\n- b$"]);
  assert.equal(container.querySelectorAll("em .formula").length, 2);
  assert.equal(container.querySelectorAll("th .formula").length, 1);
  assert.ok(visible(container).endsWith("\ue000"));
});

test("nothing set by KaTeX brings a style attribute, which the page's policy refuses", () => {
  const set_ = Element.prototype.setAttribute;
  const styled = [];
  Element.prototype.setAttribute = function (name, value) {
    if (name.toLowerCase() === "style") styled.push(`${this.localName} ${value}`);
    return set_.call(this, name, value);
  };
  try {
    const tall = String.raw`\begin{pmatrix}1\\2\\3\\4\\5\\6\\7\end{pmatrix}`;
    for (const tex of [
      String.raw`\vec{v}+\boxed{x}+\fbox{y}+\pmb{z}+\cancel{w}+\overbrace{a+b}^n+\sqrt{\frac12}`,
      String.raw`\fcolorbox{red}{aqua}{A}\colorbox{blue}{B}\textcolor{#f00}{C}\oiint\phase{78}`,
      String.raw`${tall}\left\{${tall}\right.\left|${tall}\right\Vert\overleftrightarrow{AB}\xrightarrow{n}`,
    ]) {
      const element = document.createElement("span");
      typesetter.formula(element, tex);
      assert.ok(element.querySelector(".katex-html [style]"), element.textContent);
    }
  } finally {
    Element.prototype.setAttribute = set_;
  }
  assert.deepEqual(styled, []);
  const vector = document.createElement("span");
  typesetter.formula(vector, String.raw`\vec{v}`);
  assert.equal(vector.querySelector("svg").style.width, "0.471em", "it is set by script instead");
});

test("until KaTeX has come a formula is its source, and then is set once", async () => {
  const late = createTypesetter();
  const container = document.createElement("div");
  late.update(container, "Let $x$ be", true);
  const formula = container.querySelector(".formula");
  assert.equal(formula.textContent, "$x$");
  await late.ready();
  assert.equal(container.querySelector(".formula"), formula);
  assert.ok(formula.querySelector(".katex"));
});

test("as the text grows what is set stays, what is shown never changes, and the end is as if set at once", async () => {
  for (const content of texts.filter((_, index) => index % 10 === 0)) {
    const container = document.createElement("div"), whole = set(content);
    const reveal = createReveal(container), all = createReveal(whole);
    const units = [...content];
    const stops = [...formulas(content).map(({ to }) => to), units.length];
    const kept = new Set();
    let known = 0;
    for (let step = 1; known < units.length; step += 1) {
      known = Math.min(known + 1 + ((step * 5) % 11), units.length);
      const cut = formulas(content).find(({ from, to }) => from < known && known < to);
      known = cut ? stops.find((stop) => stop >= known) : known;
      typesetter.update(container, units.slice(0, known).join(""), false);
      reveal.show(known);
      all.show(known);
      assert.ok(visible(whole).startsWith(visible(container)), `${known} of ${content}`);
      for (const node of kept) assert.ok(container.contains(node), `what was set stays, at ${known} of ${content}`);
      for (const node of outside(container)) kept.add(node);
    }
    typesetter.update(container, content, true);
    all.show(Infinity);
    await typesetter.ready();
    assert.equal(container.innerHTML, whole.innerHTML);
  }
});

test("an unfinished end shows no marks and brings no other blocks than it will have", () => {
  const cases = {
    "so **bold te": ["so bold te", "p strong"],
    "so **": ["so", "p"],
    "so **bold*": ["so bold", "p strong"],
    "so *a **b": ["so a b", "p em strong"],
    "so `cod": ["so cod", "p code"],
    "so **a `b": ["so a b", "p strong code"],
    "2*3 is": ["2*3 is", "p"],
    "2 * 3": ["2 * 3", "p"],
    "snake_case_": ["snake_case", "p"],
    "list:\n-": ["list:", "p"],
    "list:\n- ": ["list:", "p"],
    "list:\n\n1": ["list:", "p"],
    "list:\n\n1. ": ["list:", "p"],
    "list:\n- **a": ["list:a", "p ul li strong"],
    "end\n\n--": ["end", "p"],
    "end\n\n#": ["end", "p"],
    "table:\n| a | b": ["table:", "p"],
    "table:\n| a | b |\n|--": ["table:", "p"],
    "table:\n| a |\n|---|\n| *x": ["table:ax", "p div table thead tr th tbody tr td em"],
    "code:\n```py": ["code:", "p pre code"],
    "code:\n```py\nx *": ["code:x", "p pre code"],
    "code:\n```py\n`x": ["code:`x", "p pre code"],
    "- *a\n\n```py\nx": ["*ax", "ul li pre code"],
    "escaped \\": ["escaped", "p"],
  };
  for (const [content, expected] of Object.entries(cases)) {
    const container = set(content, false);
    assert.deepEqual([visible(container), tags(container)], expected, content);
  }
});

test("text that is cut back or written anew is set anew", () => {
  const container = document.createElement("div");
  for (const content of ["a\n\nb **c**\n\nd", "a\n\nb", "a\n\nx\n\ny\n\nz", "", "- a\n- b", "> a", "a\n\nx\n\ny"]) {
    typesetter.update(container, content, true);
    assert.equal(container.innerHTML, set(content).innerHTML);
  }
});

test("punctuation stays on the line of the formula that it touches", () => {
  const container = set("so ($x$), and “$y$”…\n$$z$$. (a) $w$");
  const wholes = [...container.querySelectorAll(".whole")].map(visible);
  assert.deepEqual(wholes, ["($x$),", "“$y$”…", "$w$"]);
});

test("a title's or a label's formulas and emphasis are set in its line", () => {
  const element = document.createElement("h3");
  typesetter.line(element, "# Why **$x^2$** and not 1. *y*?");
  assert.equal(visible(element), "# Why $x^2$ and not 1. y?");
  assert.equal(element.children[0].localName, "strong");
});

const WRITTEN = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)><a xlink:href=javascript:alert(1)>x</a></svg>",
  "<svg><style><img src=x onerror=alert(1)></style></svg>",
  "<math><mtext><table><mglyph><style><!--</style><img title=--&gt;&lt;img/src/onerror=alert(1)&gt;>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<object data=data:text/html,x></object>",
  "<embed src=//evil.example>",
  "<form action=//evil.example><input autofocus onfocus=alert(1)></form>",
  "<base href=//evil.example/>",
  "<meta http-equiv=refresh content=0;url=//evil.example>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<style>@import '//evil.example'</style>",
  "<div style=position:fixed;inset:0>over everything</div>",
  "<template><script>alert(1)</script></template>",
  "<details open ontoggle=alert(1)>",
  "<!-- comment --><![CDATA[x]]><?php x ?>",
  "</li></ol></main><h1>out</h1>",
  "[click](javascript:alert(1))",
  "[click](https://evil.example \"title\")",
  "![picture](https://evil.example/p.png)",
  "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
  "<javascript:alert(1)>",
  "<https://evil.example>",
  "https://evil.example and www.evil.example",
  "[a][b]\n\n[b]: https://evil.example",
  "[b]: javascript:alert(1)",
  "&lt;script&gt; &#106;avascript: &colon; &nbsp;",
  "\u202eright to left\u202c \u2066isolated\u2069 \u200f\u061c",
  "zero\u200bwidth\u2060and\ufeffmarks\u00ad",
  "\u0001\u0008\u001b[31m\u007f controls \ufffe\uffff",
  "Z\u0301\u0302\u0303\u0304\u0305\u0306\u0307".repeat(20),
  "constructor __proto__ toString {{7*7}} ${7*7} <%= 7*7 %>",
  "\\<script\\>alert(1)\\</script\\>",
  "$<script>alert(1)</script>$ outside",
  "$$unclosed and $ lonely",
];

const TEX = [
  String.raw`\href{javascript:alert(1)}{x}`,
  String.raw`\href{https://evil.example}{x}`,
  String.raw`\url{https://evil.example}`,
  String.raw`\includegraphics[width=9em]{https://evil.example/p.png}`,
  String.raw`\htmlData{x=1}{y}`,
  String.raw`\htmlId{question}{y}`,
  String.raw`\htmlClass{step}{y}`,
  String.raw`\htmlStyle{position:fixed}{y}`,
  String.raw`\def\a{\a\a}\a`,
  String.raw`\def\a{\b\b}\def\b{\c\c}\def\c{xxxxxxxxxx}\a\a\a\a`,
  String.raw`\newcommand{\x}[1]{#1#1#1}\x{\x{\x{\x{\x{\x{\x{\x{y}}}}}}}}`,
  String.raw`\gdef\frac{\href{javascript:alert(1)}{x}}\frac`,
  String.raw`\rule{1000000em}{1000000em}`,
  String.raw`\kern{-99999em}x\raisebox{99999em}{y}`,
  String.raw`\unknowncommand{x}`,
  String.raw`\begin{matrix}`,
  String.raw`\left( x`,
  String.raw`x^2^2`,
  String.raw`\text{<img src=x onerror=alert(1)>}`,
  String.raw`<img src=x onerror=alert(1)>`,
  String.raw`\unicode{x202e}\char"202e`,
  String.raw`\color{expression(alert(1))}x`,
  String.raw`\textcolor{url(//evil.example)}{x}`,
  "{".repeat(140) + "x" + "}".repeat(140),
  "{".repeat(290),
  "\\sqrt{".repeat(40) + "x" + "}".repeat(40),
  "^".repeat(200),
  "\0\u202e\ufffe",
];

const ALLOWED = new Set(
  ("p strong em code pre ul ol li blockquote h4 hr br div table thead tbody tr th td span " + // and KaTeX's
    "wbr svg path g line math semantics mrow mi mo mn mtext mspace msup msub msubsup mfrac msqrt mstyle mpadded mtable mtr mtd " +
    "mphantom mover munder menclose mroot").split(" "));

function assertHarmless(container) {
  for (const element of container.querySelectorAll("*")) {
    assert.ok(ALLOWED.has(element.localName), element.outerHTML);
    for (const { name, value } of element.attributes) {
      assert.doesNotMatch(name, /^on|href|^src|^id$|action|^data-(?!source)/, element.outerHTML);
      if (name !== "data-source") assert.doesNotMatch(value, /url\(|expression/);
    }
  }
}

for (const content of WRITTEN) {
  test(`stays text: ${JSON.stringify(content).slice(0, 70)}`, () => {
    for (const container of [set(content), set(`a ${content} b`), set(`- **x** ${content}`), set(content, false)]) {
      assert.equal(container.querySelector("a, img, script, style, iframe, form, svg:not(.formula *)"), null);
      for (const { attributes } of outside(container)) {
        for (const { name } of attributes) assert.match(name, /^(class|start|role|aria-label|data-source)$/);
      }
    }
    const letters = (text) => text.replace(/[\s*_`\\>#]|\p{Cc}/gu, "");
    assert.equal(letters(visible(set(`a ${content}`))), letters(`a ${content}`));
  });
}

for (const tex of TEX) {
  test(`a formula does no harm: ${JSON.stringify(tex).slice(0, 70)}`, () => {
    const container = set(`before $${tex}$ after`);
    if (container.querySelector(".formula")) assertHarmless(container);
    const alone = document.createElement("div");
    typesetter.formula(alone, tex);
    assertHarmless(alone);
    assert.ok(alone.textContent.length < 5000, "no macro blows up");
    const failed = alone.querySelector(".formula-failed");
    if (failed) assert.equal(failed.textContent, tex);
    typesetter.formula(alone, String.raw`\frac12`);
    assert.ok(alone.querySelector(".mfrac"), "and leaves nothing behind");
  });
}

test("many formulas give the page its turn in between", async () => {
  const container = document.createElement("div");
  typesetter.update(container, String.raw`$\frac{x}{\sqrt{y}}$ and `.repeat(100), true);
  assert.ok(container.querySelector(".katex") && !container.lastChild.lastChild.previousSibling.querySelector(".katex"));
  await typesetter.ready();
  assert.equal(container.querySelectorAll(".formula > .katex").length, 100);
});

test("the largest texts and the deepest nesting are read in reasonable time", () => {
  const bombs = ["*", "**a ", "`", "``a`", "_a*", "[", "> ", "- ", "$", "$x$", "\\", "|", "| a ", "a\n", "a\n\n", "# ", "1. ", "\t", " ",
    "<", "&", "~~", "😀", "\u0301", "{", "\ue000", "***a**", "```\n", "a|b\n-|-\n"];
  for (const bomb of bombs) {
    for (const complete of [false, true]) {
      const started = performance.now();
      blocks(bomb.repeat(20_000 / [...bomb].length), complete);
      const spent = performance.now() - started;
      assert.ok(spent < 5000, `${JSON.stringify(bomb)} took ${spent.toFixed()} ms`);
    }
  }
});
