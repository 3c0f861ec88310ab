<?php
// STAND-IN for Joomla: the door of the administration.
define( '_JEXEC', 1 );
if ( file_exists( __DIR__ . '/defines.php' ) ) {
	include_once __DIR__ . '/defines.php';
}
define( 'JPATH_BASE', __DIR__ );
require_once __DIR__ . '/../includes/defines.php';
require_once __DIR__ . '/../includes/framework.php';
Joomla\Standin\Site::rows( 'SELECT 1 FROM #__users LIMIT 1' );
echo '<!DOCTYPE html><title>', htmlspecialchars( ( new JConfig() )->sitename ), ' - Administration</title><form><input name="username"><input name="passwd" type="password"></form>';
