"""`--help` in Chinese: what is told in English beside the options, and the same in Chinese.

The English stands where the command is; it is the key here, so that one that changes is missed by
a test until its Chinese changes too. Examples are not here: they are the same in both languages.
Nothing imports this but a page of help that is shown in Chinese.
"""
