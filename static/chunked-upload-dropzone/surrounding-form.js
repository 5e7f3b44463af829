/** The form around a zone: it is submitted after the uploads, with their ids in hidden fields. */

export class SurroundingForm {
  #form;
  #fieldName;
  /** The submission that waits for the uploads. @type {{submitter: HTMLElement | null} | null} */
  #pending = null;

  /**
   * @param {HTMLFormElement} form
   * @param {string} fieldName Of the hidden fields.
   */
  constructor(form, fieldName) {
    this.#form = form;
    this.#fieldName = fieldName;
  }

  /**
   * Hold submissions back while uploads run.
   *
   * @param {() => boolean} isBusy
   * @param {() => void} start Starts the uploads.
   */
  waitFor(isBusy, start) {
    this.#form.addEventListener("submit", (event) => {
      if (!isBusy()) return;
      event.preventDefault();
      this.#pending = { submitter: event.submitter };
      start();
    });
  }

  /** Return the function that submits the form as the user did; null when the user has not. */
  takeSubmission() {
    const pending = this.#pending;
    this.#pending = null;
    return pending && (() => this.#form.requestSubmit(pending.submitter));
  }

  /** @param {string} uploadId */
  addField(uploadId) {
    const field = { type: "hidden", name: this.#fieldName, value: uploadId };
    this.#form.append(Object.assign(document.createElement("input"), field));
  }

  /** @param {string} uploadId */
  removeField(uploadId) {
    /** @type {NodeListOf<HTMLInputElement>} */
    const fields = this.#form.querySelectorAll(`input[name="${CSS.escape(this.#fieldName)}"]`);
    for (const field of fields) if (field.value === uploadId) field.remove();
  }
}
