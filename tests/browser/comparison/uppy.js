// Uppy's Dashboard as its documentation sets it up, bundled as an app does it.
import Uppy from "@uppy/core";
import Dashboard from "@uppy/dashboard";
import GoldenRetriever from "@uppy/golden-retriever";
import Tus from "@uppy/tus";
import "@uppy/core/css/style.min.css";
import "@uppy/dashboard/css/style.min.css";

window.uppy = new Uppy({ autoProceed: true })
  .use(Dashboard, { target: "#uppy", inline: true, showProgressDetails: true, theme: "auto" })
  .use(Tus, { endpoint: "/uploads/tus/", removeFingerprintOnSuccess: true })
  .use(GoldenRetriever);
