# NIST's non-linear reference datasets with R: digits of the estimates that agree, as strd.py.
#
#     Rscript benches/peers/strd.R
#
# Methods: nls; nlsLM of the package minpack.lm; nlsLM with all tolerances at rounding and 1024
# iterations (its most).

suppressMessages(library(minpack.lm))
arguments <- commandArgs(FALSE)
here <- dirname(sub("--file=", "", grep("--file=", arguments, value = TRUE)))
root <- file.path(here, "..", "..", "fixtures", "nist-strd")
text <- paste(readLines(file.path(root, "models.toml")), collapse = "\n")
matches <- regmatches(text, gregexpr('\\w+ = "y = [^"]+"', text, perl = TRUE))[[1]]

digits <- function(found, certified) {
  least <- min(pmax(pmin(-log10(abs((found - certified) / certified)), 11), 0))
  sprintf("%.1f", floor(10 * least) / 10)
}
attempt <- function(fit, certified) {
  found <- tryCatch(suppressWarnings(fit()), error = function(e) NULL)
  if (is.null(found) || !isTRUE(found$convInfo$isConv)) "failed" else digits(coef(found), certified)
}
eps <- .Machine$double.eps
tight <- nls.lm.control(ftol = eps, ptol = eps, gtol = 0, maxiter = 1024, maxfev = 1e6)
cat(R.version.string, "minpack.lm", as.character(packageVersion("minpack.lm")), "\n")
for (match in matches) {
  name <- sub(" =.*", "", match)
  model <- as.formula(paste("y ~", sub('"$', "", sub("^.*?y = ", "", match, perl = TRUE))))
  lines <- readLines(file.path(root, paste0(name, ".dat")))
  head <- grep("^\\s*b\\d\\s*=", lines, value = TRUE, perl = TRUE)
  stated <- do.call(rbind, lapply(strsplit(sub("^\\s*b\\d\\s*=\\s*", "", head, perl = TRUE), "\\s+"), as.numeric))
  from <- max(grep("^Data:", lines)) + 1
  table <- read.table(text = lines[from:length(lines)])
  names(table) <- if (ncol(table) == 3) c("y", "x1", "x2") else c("y", "x")
  if (name == "Nelson") table$y <- log(table$y)
  for (which in 1:2) {
    start <- as.list(setNames(stated[, which], paste0("b", seq_len(nrow(stated)))))
    cells <- c(
      attempt(function() nls(model, table, start), stated[, 3]),
      attempt(function() nlsLM(model, table, start), stated[, 3]),
      attempt(function() nlsLM(model, table, start, control = tight), stated[, 3])
    )
    cat("|", name, "|", which, "|", paste(cells, collapse = " | "), "|\n")
  }
}
