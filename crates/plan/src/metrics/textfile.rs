//! Files of other programs' metrics. What is in them is theirs, and stands in no table.

metrics! { "textfile" from "--textfile FOLDER" {
    gauge node_textfile_scrape_error: "1 if the folder or a file in it is not shown.";
    gauge node_textfile_mtime_seconds ["file"]: "When the file was written, as Unix time.";
} }
