// Makes a visitor's picture small before it is sent. Shown on a canvas, since a page may forbid blob: images.

import { Refusal } from "./api.js";

const MAX_SIDE_PX = 1600;
const PREVIEW_PX = 48;
const KEPT_BYTES = 300_000;

/** Upload a picture, to go with the next message. */
export async function attach(panel, file) {
  const image = (panel.image = { url: null });
  try {
    const { blob, preview } = await prepareImage(file);
    panel.view.setImage(preview);
    panel.begin();
    image.url = (await panel.api.upload(blob, "image")).url;
    panel.hint("");
  } catch (problem) {
    panel.detach();
    panel.hint(problem instanceof Refusal ? problem.message : panel.words.imageFailed);
  }
}

/** {blob to send, preview element}. Throws when the file is no picture. */
async function prepareImage(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const preview = draw(bitmap, PREVIEW_PX);
    const isSmall = file.size <= KEPT_BYTES && Math.max(bitmap.width, bitmap.height) <= MAX_SIDE_PX;
    const blob = isSmall && /png|jpeg|webp|gif/.test(file.type) ? file : await shrink(bitmap, file.type);
    return { blob, preview };
  } finally {
    bitmap.close();
  }
}

function draw(bitmap, maxSide) {
  const scale = Math.min(1, maxSide / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function shrink(bitmap, type) {
  const canvas = draw(bitmap, MAX_SIDE_PX);
  const wanted = type === "image/png" ? "image/png" : "image/jpeg";
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, wanted, 0.85));
  if (!blob) throw new Error("the picture cannot be drawn");
  return blob;
}
