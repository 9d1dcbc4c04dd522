// The same request as a program: pure functions of {url, body, file}. `file` is the name of a file that goes along as
// the part "file" of multipart/form-data. What they give runs as it is.
"use strict";
{
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const shell = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
  const php = (text) => "'" + text.replaceAll("\\", "\\\\").replaceAll("'", "\\'") + "'";
  const word = (value) => (isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value ?? ""));

  // A value as a literal of another language; `spell` says how that writes what differs.
  function literal(value, spell, indent = "") {
    const inner = indent + spell.step;
    if (Array.isArray(value)) {
      if (!value.length) return "[]";
      return `[\n${value.map((item) => inner + literal(item, spell, inner)).join(",\n")},\n${indent}]`;
    }
    if (isObject(value)) {
      const pairs = Object.entries(value).map(([name, item]) =>
        inner + spell.text(name) + spell.arrow + literal(item, spell, inner));
      if (!pairs.length) return spell.nothing;
      const cast = spell.cast && Object.keys(value).some((name) => /^-?\d+$/.test(name)) ? spell.cast : "";
      return `${cast}${spell.open}\n${pairs.join(",\n")},\n${indent}${spell.close}`;
    }
    if (typeof value === "string") return spell.text(value);
    return spell.words[String(value)] ?? String(value);
  }

  const PYTHON = {
    step: "    ", open: "{", close: "}", arrow: ": ", nothing: "{}", text: JSON.stringify,
    words: { true: "True", false: "False", null: "None" },
  };
  const PHP = {
    step: "    ", open: "[", close: "]", arrow: " => ", nothing: "new stdClass()", text: php, cast: "(object) ", words: {},
  };

  function curl({ url, body, file }) {
    if (file === undefined) {
      return `curl ${shell(url)} \\\n  -H 'Content-Type: application/json' \\\n  --data-raw ${shell(JSON.stringify(body, null, 2))}\n`;
    }
    const fields = Object.entries(body).map(([name, value]) => `  --form-string ${shell(`${name}=${word(value)}`)}`);
    const named = file.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
    return [`curl ${shell(url)}`, ...fields, `  -F ${shell(`file=@"${named}"`)}`].join(" \\\n") + "\n";
  }

  function python({ url, body, file }) {
    if (file !== undefined) {
      const fields = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, word(value)]));
      return `import requests\n\nfields = ${literal(fields, PYTHON)}\nwith open(${JSON.stringify(file)}, "rb") as clip:\n` +
        `    reply = requests.post(${JSON.stringify(url)}, data=fields, files={"file": clip})\nprint(reply.text)\n`;
    }
    return `import json
import urllib.error
import urllib.request

body = ${literal(body, PYTHON)}
request = urllib.request.Request(
    ${JSON.stringify(url)},
    data=json.dumps(body).encode(),
    headers={"Content-Type": "application/json"},
)
try:
    reply = urllib.request.urlopen(request)
except urllib.error.HTTPError as refusal:
    reply = refusal  # its body is JSON as well
print(json.dumps(json.load(reply), ensure_ascii=False, indent=2))
`;
  }

  function phpCode({ url, body, file }) {
    if (file !== undefined) {
      const fields = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, word(value)]));
      const given = literal(fields, PHP).replace(/\]$/, `    'file' => new CURLFile(${php(file)}),\n]`);
      return `<?php\n$request = curl_init(${php(url)});\ncurl_setopt_array($request, [\n    CURLOPT_RETURNTRANSFER => true,\n` +
        `    CURLOPT_POSTFIELDS => ${given},\n]);\necho curl_exec($request), "\\n";\n`;
    }
    return `<?php
$body = ${literal(body, PHP)};
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => 'Content-Type: application/json',
    'content' => json_encode($body, JSON_UNESCAPED_UNICODE),
    'ignore_errors' => true,
]]);
$reply = json_decode(file_get_contents(${php(url)}, false, $context), true);
echo json_encode($reply, JSON_UNESCAPED_UNICODE | JSON_PRETTY_PRINT), "\\n";
`;
  }

  function javascript({ url, body, file }) {
    if (file !== undefined) {
      const fields = Object.entries(body).map(([name, value]) =>
        `form.append(${JSON.stringify(name)}, ${JSON.stringify(word(value))});\n`);
      return `const fs = require("fs");\n\nconst form = new FormData();\n${fields.join("")}` +
        `form.append("file", new Blob([fs.readFileSync(${JSON.stringify(file)})]), ${JSON.stringify(file)});\n` +
        `fetch(${JSON.stringify(url)}, { method: "POST", body: form })\n  .then((reply) => reply.text())\n  .then(console.log);\n`;
    }
    return `const body = ${JSON.stringify(body, null, 2)};

fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
})
  .then((reply) => reply.json())
  .then((reply) => console.log(JSON.stringify(reply, null, 2)));
`;
  }

  const samples = { curl, python, php: phpCode, javascript };
  if (typeof module !== "undefined") module.exports = samples;
  else zvonar.samples = samples;
}
