/** hash-wasm's browser build defines this global. */
interface DigestHasher {
  init(): DigestHasher;
  update(data: Uint8Array): DigestHasher;
  digest(): string;
  save(): Uint8Array;
  load(state: Uint8Array): DigestHasher;
}

declare var hashwasm: {
  createMD5(): Promise<DigestHasher>;
  createSHA256(): Promise<DigestHasher>;
};

/** Dropzone's browser build defines this global; Dropzone has no types of its own. */
declare var Dropzone: any;

/** Swagger UI's browser build defines this global. */
declare var SwaggerUIBundle: (options: object) => unknown;

/** Parts of File System Access that TypeScript's own declarations lack. */
interface FileSystemHandle {
  queryPermission?(descriptor?: { mode: "read" | "readwrite" }): Promise<PermissionState>;
  requestPermission?(descriptor?: { mode: "read" | "readwrite" }): Promise<PermissionState>;
}
