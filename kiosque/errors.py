"""What a person can mend: every error that the command line shows as one sentence."""


class KiosqueError(Exception):
    """Something went wrong that a person should look at; the text says what and how to mend it."""


class UsageError(KiosqueError):
    """The call or the configuration is wrong: exit status 2, naming the file and the key."""


class OutletError(UsageError):
    """An outlet file cannot be used."""


class StorageError(KiosqueError):
    """The store cannot be opened, read or written."""
