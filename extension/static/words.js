// The words of a verdict, in one place (design/look.md). Never "fake", "real" or "proof".

export const LABELS = {
  manipulation_likely: ["Manipulation likely", "likely"],
  inconclusive: ["Inconclusive", "inconclusive"],
  no_evidence_found: ["No sign of manipulation found", "no-evidence"],
  not_assessable: ["Could not be assessed", "not-assessable"],
  confirmed_manipulated: ["Confirmed manipulated, by a reviewer", "likely solid"],
  confirmed_authentic: ["Confirmed authentic, by a reviewer", "authentic"],
  misleading_context: ["Misleading context, by a reviewer", "inconclusive"],
  undecided: ["Reviewed, undecided", "not-assessable"],
  disclosed_synthetic: ["Declared as AI-made", "synthetic"],
};

export const STAGES = {
  queued: "Waiting for its turn",
  fetching: "Fetching the media",
  decoding: "Reading the pictures",
  analyzing: "Looking at faces",
  complete: "Done",
  failed: "Not possible",
  cancelled: "Withdrawn",
};

export const BANDS = { low: "low", uncertain: "uncertain", high: "high", abstained: "abstained", failed: "failed" };

/** 1-99: never 0 and never 100, for nothing is certain here. */
export const percent = (share) => Math.min(99, Math.max(1, Math.round(share * 100)));

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
const PEOPLE = ["no person", "one person", "two people", "three people", "four people"];

function seen(verdict) {
  const { frames, of_frames: of, faces, tracks } = verdict.coverage;
  if (!faces) return "";
  const who = `${plural(faces, "face", "faces")} of ${PEOPLE[tracks] ?? `${tracks} people`}`;
  if (verdict.media.kind === "image") return `Seen: ${who} in a picture of ${verdict.media.width} × ${verdict.media.height} pixels.`;
  return `Seen: ${who} in ${frames} of ${plural(of, "frame", "frames")}, ${duration(verdict.media.duration)}.`;
}

function prior(share) {
  return Math.abs(share - 0.5) < 0.005 ? "half the material is" : `${percent(share)} in 100 are`;
}

export function sentence(verdict) {
  const about = {
    manipulation_likely: () => {
      const [low, high] = verdict.interval ?? [];
      const range = verdict.interval ? ` (${percent(low)}-${percent(high)})` : "";
      return `Of material that scores like this, ${percent(verdict.probability)} in 100 was manipulated${range}, where ${prior(verdict.prior)}.`;
    },
    no_evidence_found: () => "Looks like untouched material this check knows.",
    disclosed_synthetic: () => "Who made it says that it was made with AI.",
  }[verdict.label];
  const first = about ? about() : verdict.basis === "human" ? "A reviewer has looked at it." : "Not enough to say.";
  return `${first} ${seen(verdict)}`.trim();
}

/** What the ticks of the confidence bar mean; verdicts of before have none. */
export function scaleWords({ scale }) {
  if (!scale) return "";
  const likely = scale.likely === null
    ? "with so many people, no score is high enough for \"manipulation likely\"."
    : `above ${percent(scale.likely)}, genuine material hardly ever scores so high.`;
  return `Ticks: up to ${percent(scale.no_evidence)}, manipulated material hardly ever scores so low; ${likely}`;
}

const perCent = (share) => `${(100 * share).toFixed(1)} %`;

/** How often the labels err, as GET /api/v1/models tells it. */
export function rates(measured) {
  const count = (items) => items.toLocaleString("en-US");
  const made = measured.manipulated.map((one) =>
    ` Of ${count(one.items)} manipulated ones (${reasonWords(one.kind)}), ${perCent(one.flagged)} would be found so, `
    + `and of ${perCent(one.cleared)} it would be said, wrongly, that there is no sign of manipulation.`);
  return `Of the ${count(measured.genuine)} genuine items it was calibrated on (${measured.dataset}), `
    + `${perCent(measured.genuine_flagged)} would be called "manipulation likely", wrongly.${made.join("")} `
    + "Material from elsewhere is harder: the cards say how much.";
}

const disagreeing = (verdict) =>
  verdict.detectors.filter((d) => d.score !== null).sort((a, b) => b.score - a.score)
    .map((d) => `${d.name} ${d.score.toFixed(2)}`).join(", ");

function smallFace(verdict) {
  const told = verdict.segments.length ? "Most of the faces seen are" : "The face is";
  return `${told} less than 80 pixels at the longer side: too small for more than a guess.`;
}

const detail = "The picture has lost the fine detail this check reads";
const REASONS = {
  no_face: () => "No face was found, and this check looks at faces. Try a moment where the face is visible.",
  face_too_small: smallFace,
  heavy_compression: () => `${detail} (strong compression). An earlier copy may tell more.`,
  low_resolution: () => `${detail} (low resolution). A larger copy may tell more.`,
  blurred: () => `${detail} (blur). A sharper moment may tell more.`,
  too_short: () => "The clip is too short for the blink check (10 s are needed).",
  too_few_frames: () => "Too few frames show a face. A longer part of the clip may tell more.",
  occluded_or_profile: () => "The face is covered or turned away. Try a moment where it looks this way.",
  detectors_disagree: (verdict) => `The methods disagree: ${disagreeing(verdict)}. A reviewer should look.`,
  partial_coverage: (verdict) => verdict.coverage.seconds < verdict.media.duration
    ? `Only the first ${duration(verdict.coverage.seconds)} of ${duration(verdict.media.duration)} were looked at.`
    : "A part of it is missing or cannot be read; the rest was looked at. Send the whole file for more.",
  canvas_capture: () => "Seen through your browser, not the original file: certainty is capped.",
  out_of_distribution: () => "This does not look like the photographs the methods know.",
  animation_or_art: () => "This does not look like the photographs the methods know.",
  not_calibrated: () => "No calibrated method could judge it: the scores below are shown, and decide nothing.",
  detector_failed: () => "One of the methods failed; the others decided. Checking again may help.",
};

export const reasons = (verdict) =>
  verdict.reasons.slice(0, 3).map((reason) => REASONS[reason]?.(verdict) ?? reason.replaceAll("_", " "));

const CREDENTIALS = {
  unchecked: () => "Not looked at: whether the file carries a signed statement of its origin (Content Credentials).",
  absent: () => "The file carries no signed statement of its origin (Content Credentials). Most carry none.",
  trusted: (signer) => `Signed by ${signer}, whom this service trusts (Content Credentials).`,
  valid_unknown_signer: (signer) => `Signed by ${signer}, whom this service does not know (Content Credentials): anybody can sign so.`,
  invalid: () => "The file carries Content Credentials that do not fit it: changed after signing, or damaged.",
  remote_only: () => "The file names Content Credentials that are kept elsewhere; they were not fetched.",
};
const SOURCES = {
  trainedAlgorithmicMedia: "made with AI",
  compositeWithTrainedAlgorithmicMedia: "partly made with AI",
  compositeSynthetic: "put together, partly of synthetic material",
  algorithmicMedia: "drawn by a program",
  digitalCapture: "taken by a camera",
  digitalCreation: "made by a person with a program",
  humanEdits: "edited by a person",
  compositeCapture: "put together of several shots",
};

/** What the file says of where it comes from; verdicts of before know less. */
export function origin(verdict) {
  const { c2pa = "unchecked", signer, generator, source_types: types = [], declares_ai: ai, marks = [] } = verdict.provenance ?? {};
  const by = [signer || "somebody without a name", generator].filter(Boolean).join(" with ");
  const said = [CREDENTIALS[c2pa]?.(by) ?? reasonWords(c2pa)];
  if (types.length && ["trusted", "valid_unknown_signer"].includes(c2pa)) {
    const weighs = c2pa === "trusted" || !ai ? "" : " The label does not rest on it.";
    said.push(`The signer states: ${types.map((name) => SOURCES[name] ?? name).join(", ")}.${weighs}`);
  }
  if (marks.length) {
    const told = marks.map(({ where, says }) => `${SOURCES[says] ?? says} (${where})`);
    said.push(`Unsigned marks in the file, which anybody can write or remove: ${told.join(", ")}.`);
  }
  return said;
}

/** What it looks like; empty where nothing known does. */
export function match({ match: found, media }) {
  if (!found) return "";
  const kind = media.kind === "image" ? "picture" : "clip";
  return `Looks much like another ${kind}, checked on ${found.checked_at.slice(0, 10)}: ${LABELS[found.label][0]}. `
    + "A face can be swapped with no more difference than this, so that label says nothing of this one.";
}

export const reasonWords = (reason) => reason.replaceAll("_", " ");

export function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function ago(moment) {
  const seconds = (Date.now() - new Date(moment)) / 1000;
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= length) return `${plural(Math.floor(seconds / length), unit, `${unit}s`)} ago`;
  }
  return "just now";
}
