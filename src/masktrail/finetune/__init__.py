"""Training a shipped weight further on one's own data, and seeing whether that helped."""

from masktrail.finetune.tuning import FineTuned as FineTuned
from masktrail.finetune.tuning import fine_tune as fine_tune
from masktrail.finetune.tuning import further as further
