// One file on its way to the server, with how much of it has arrived, which fetch cannot tell.

import { ApiProblem, csrfToken, refusal, url } from "../lib/api.js";
import { capital } from "../lib/form.js";

// After the last byte: a large file is taken apart before the answer comes.
const TIMEOUT_MS = 600_000;
export const MAX_FILE_BYTES = 50 * 1024 * 1024;
export const KINDS = ["txt", "md", "csv", "jsonl", "html", "pdf"];

// Sends a file for import; resolves to {imported, skipped, ids}, rejects with an ApiProblem. `onSent(share)`: from 0 to
// 1, and 1 when the server has all of it.
export function sendFile(path, file, onSent) {
  const early = refusedHere(file);
  if (early) return Promise.reject(new ApiProblem(422, { error: early }));
  const call = new XMLHttpRequest();
  const sent = new Promise((resolve, reject) => {
    call.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    call.upload.onload = () => onSent(1);
    call.onload = () => resolve(call);
    call.onerror = call.ontimeout = () => reject(new ApiProblem(0, {}));
  });
  call.open("POST", url(path));
  call.timeout = TIMEOUT_MS;
  call.setRequestHeader("Accept", "application/json");
  call.setRequestHeader("X-CSRF-Token", csrfToken());
  const form = new FormData();
  form.append("file", file);
  call.send(form);
  return sent.then(answered);
}

async function answered(call) {
  const answer = parsed(call.responseText);
  if (call.status >= 200 && call.status < 300) return answer;
  const problem = await refusal(call.status, answer, true);
  problem.message = sentenceOf(problem);
  throw problem;
}

// What would be refused anyway, before it takes minutes to arrive.
function refusedHere(file) {
  const ending = file.name.includes(".") ? file.name.split(".").at(-1).toLowerCase() : "";
  if (!KINDS.includes(ending) && ending !== "htm") {
    return `Files of this kind cannot be read. Use one of ${KINDS.join(", ")}.`;
  }
  if (file.size > MAX_FILE_BYTES) return "The file is larger than 50 MB. Cut it into parts.";
  return file.size ? "" : "The file is empty.";
}

function sentenceOf(problem) {
  if (problem.status === 413) return "The file is larger than this server takes. Cut it into parts.";
  if (problem.status === 415) return "This server cannot read files of this kind.";
  const said = problem.errors.file || problem.message;
  if (/pypdf/.test(said)) {
    return "This server cannot read PDF yet. Whoever runs it installs one more package: pip install pypdf.";
  }
  return /[.!?]$/.test(said) ? capital(said) : `${capital(said)}.`;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
