# Two roles, with the actions that infra/store/s3.py uses and no other; tests/infra/test_deployment_files.py records them.

locals {
  folder  = var.prefix == "" ? "" : "${var.prefix}/"
  objects = "${aws_s3_bucket.store.arn}/${local.folder}*"
  roles   = { writer = var.writers, reader = var.readers }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.roles

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = each.value
    }
  }
}

resource "aws_iam_role" "store" {
  for_each           = local.roles
  name               = "${var.bucket}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
}

# Of the bucket as a whole, without a condition on the prefix: with one, a key that is not there is "forbidden" instead
# of "not found", and the store asks for such keys all the time.
data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.store.arn]
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = [local.objects]
  }

  dynamic "statement" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      sid       = "Decrypt"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "writer" {
  source_policy_documents = [data.aws_iam_policy_document.reader.json]

  statement {
    sid       = "Write"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = [local.objects]
  }

  dynamic "statement" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      sid       = "Encrypt"
      actions   = ["kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "reader" {
  name   = "store"
  role   = aws_iam_role.store["reader"].id
  policy = data.aws_iam_policy_document.reader.json
}

resource "aws_iam_role_policy" "writer" {
  name   = "store"
  role   = aws_iam_role.store["writer"].id
  policy = data.aws_iam_policy_document.writer.json
}
