"""The driver `acme.reader`: replace the codec by your reader's, keep the shape."""
