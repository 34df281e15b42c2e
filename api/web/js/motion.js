// What moves: the video of a Live Photo over its picture, and videos that a browser cannot play.
import { h, t } from "./dom.js";
import { toast } from "./toast.js";

/** Have a viewer's videos and Live Photo play, and say where they cannot. */
export function motion(viewer) {
  const video = viewer.querySelector("[data-video]");
  const cannot = viewer.querySelector("[data-video-cannot]");
  video?.addEventListener("error", () => { cannot.hidden = false; });
  if (video?.error) cannot.hidden = false;
  const button = viewer.querySelector("[data-live]");
  const picture = viewer.querySelector("[data-picture]");
  if (button && picture) live(button, picture);
}

function live(button, picture) {
  let playing = null;
  const stop = () => { playing?.remove(); playing = null; button.removeAttribute("data-playing"); };
  const play = (muted) => {
    stop();
    playing = h("video", { class: "motion", playsinline: true, src: button.dataset.live });
    playing.muted = muted;
    playing.addEventListener("ended", stop);
    playing.addEventListener("error", () => { stop(); button.disabled = true; toast(t("photo.live_cannot"), { wrong: true }); });
    picture.append(playing);
    button.dataset.playing = "";
    playing.play().catch(() => {}); // leaving ends it before it began
  };
  button.hidden = false;
  button.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") play(true); });
  button.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") stop(); });
  button.addEventListener("click", () => play(false));
  hold(picture, () => play(true), stop);
}

function hold(picture, begin, end) {
  let waiting = null;
  const over = () => { if (waiting !== null) { clearTimeout(waiting); waiting = null; end(); } };
  picture.addEventListener("pointerdown", (event) => { if (event.pointerType === "touch") waiting = setTimeout(begin, 350); });
  for (const name of ["pointerup", "pointercancel", "pointermove"]) picture.addEventListener(name, (event) => {
    if (name !== "pointermove" || Math.hypot(event.movementX, event.movementY) > 3) over();
  });
}
