"""The page beside Uppy's Dashboard, FilePond and jQuery-File-Upload's page, by running all four.

    make comparison

writes the table of docs/page.md. It is no test: it takes minutes and judges nobody.
"""
