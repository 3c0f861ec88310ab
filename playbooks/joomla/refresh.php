<?php
/**
 * Has Joomla ask all its update services anew, and prints what it says, as it is, with a line of ours after each command.
 *
 *   php refresh.php ROOT SCRATCH
 */

require __DIR__ . '/common.php';

$root = rtrim( $argv[1], '/' );
echo intendant_refresh( $root, new IntendantDatabase( intendant_config( $root ) ), $argv[2] )['said'];
