"""The ten-minute solution."""

import os
import shutil
from pathlib import Path

from flask import Flask, request
from werkzeug.utils import secure_filename

app = Flask(__name__)
files = Path(os.environ["BENCH_FILES"])


@app.post("/append")
def append() -> dict[str, str]:
    name = secure_filename(request.form["name"])
    with open(files / name, "ab") as target:
        shutil.copyfileobj(request.files["file"].stream, target, 1024 * 1024)
    return {"name": name}
