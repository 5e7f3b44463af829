// @ts-check
/** What kind of file a name stands for, which chooses its icon. */

/** @typedef {"picture" | "video" | "audio" | "archive" | "text" | "table" | "code" | "file"} FileKind */

/** @type {Record<Exclude<FileKind, "file">, string>} */
const SUFFIXES = {
  picture: "jpg jpeg jfif png gif webp avif heic heif bmp tif tiff svg ico psd raw dng cr2 nef arw",
  video: "mp4 m4v mov mkv webm avi mpg mpeg ogv wmv mts m2ts 3gp",
  audio: "mp3 m4a aac flac wav ogg oga opus wma aiff mid",
  archive: "zip gz tgz tar bz2 xz zst 7z rar iso dmg img jar deb rpm",
  text: "txt md pdf doc docx odt rtf tex epub ppt pptx odp log",
  table: "csv tsv xls xlsx ods parquet sqlite db",
  code: "js ts py c h cpp java go rs rb php sh html css json xml yml yaml toml sql ipynb",
};

/** @type {Map<string, FileKind>} */
const KINDS = new Map(
  Object.entries(SUFFIXES).flatMap(([kind, suffixes]) =>
    suffixes.split(" ").map((suffix) => [suffix, /** @type {FileKind} */ (kind)]),
  ),
);

/**
 * Return a file's kind: by its name, else by its type.
 *
 * @param {string} name
 * @param {string} [type] MIME type; empty when it is unknown.
 * @returns {FileKind}
 */
export function kindOf(name, type = "") {
  const known = KINDS.get(suffixOf(name).toLowerCase());
  if (known) return known;
  if (type.startsWith("image/")) return "picture";
  if (type.startsWith("video/")) return "video";
  if (type.startsWith("audio/")) return "audio";
  return type.startsWith("text/") ? "text" : "file";
}

/**
 * Return what follows a name's last dot; empty when it is no suffix.
 *
 * @param {string} name
 */
export function suffixOf(name) {
  return /[^/]\.([\p{L}\p{N}]{1,5})$/u.exec(name)?.[1] ?? "";
}
