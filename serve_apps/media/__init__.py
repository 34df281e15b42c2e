"""From the bytes of a photo or video to pictures people see, arrays models see, and metadata.

Everything that parses bytes nobody trusts runs in a killable child process (child.py); the rest of Brightroom talks to
it through `box.Decoder`. Leaves out what is stored where in a library, and what the models make of the pictures.
"""
